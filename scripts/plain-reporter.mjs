/** Says what tests print and how each of them ended, and nothing of the machine that they ran on: for docs/evidence. */
export default class PlainReporter {
  /** @param {import('vitest').UserConsoleLog} log */
  onUserConsoleLog({ content }) {
    process.stdout.write(content)
  }

  /** @param {import('vitest/node').TestCase} test */
  onTestCaseResult(test) {
    const { state, errors = [] } = test.result()
    console.log(`${state}: ${test.fullName}`)
    for (const { message } of errors) console.log(message)
  }

  /** @param {readonly import('vitest/node').TestModule[]} modules @param {readonly import('vitest').SerializedError[]} errors */
  onTestRunEnd(modules, errors) {
    for (const module of modules) for (const { message } of module.errors()) console.log(message)
    for (const { message } of errors) console.log(message)
  }
}
