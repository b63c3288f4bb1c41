// WebKit knows neither `using` nor the symbols that it goes by: the first is written for it by the build, these are made here,
// under the names that the build looks for.
for (const name of ['dispose', 'asyncDispose'])
  if (!(name in Symbol)) Object.defineProperty(Symbol, name, { value: Symbol.for(`Symbol.${name}`) })
