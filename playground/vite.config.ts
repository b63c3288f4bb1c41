import { fileURLToPath } from 'node:url'
import { defineConfig, type Plugin } from 'vite'
import { policy } from './policy.mjs'
import { answerWebhooks } from './server/answer-webhooks.ts'

/** The policy goes with every answer of the server, and into the page for servers that know nothing of it. */
const strictPolicy: Plugin = {
  name: 'strict policy',
  transformIndexHtml: () => [
    { tag: 'meta', attrs: { 'http-equiv': 'Content-Security-Policy', content: policy }, injectTo: 'head-prepend' },
  ],
}

const webhooks: Plugin = {
  name: 'webhooks',
  configurePreviewServer: ({ middlewares }) => void middlewares.use(answerWebhooks()),
}

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  // The static files work in any folder of any server.
  base: './',
  plugins: [strictPolicy, webhooks],
  worker: { format: 'es' },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: 'es2022',
    emptyOutDir: true,
    // A file that became a `data:` address would break the policy.
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: {
        page: fileURLToPath(new URL('index.html', import.meta.url)),
        'webhooks-worker': fileURLToPath(new URL('src/webhooks/service-worker.ts', import.meta.url)),
      },
      output: {
        // A service worker is known by its address, and rules over what lies beside it.
        entryFileNames: ({ name }) => (name === 'webhooks-worker' ? '[name].js' : 'assets/[name]-[hash].js'),
      },
    },
  },
  preview: { headers: { 'content-security-policy': policy } },
})
