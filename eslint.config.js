import comments from '@eslint-community/eslint-plugin-eslint-comments/configs'
import js from '@eslint/js'
import { defineConfig, globalIgnores } from 'eslint/config'
import tseslint from 'typescript-eslint'

const instead = 'Take it from the injected environment (src/core/environment.ts), so that a test can hold it.'

const platformGlobals = [
  'clearInterval',
  'clearTimeout',
  'console',
  'crypto',
  'globalThis',
  'navigator',
  'performance',
  'process',
  'setImmediate',
  'setInterval',
  'setTimeout',
]
const isPlatformGlobal = `/^(${platformGlobals.join('|')})$/`

export default defineConfig(
  globalIgnores(['dist', 'playground/dist', 'coverage', 'reports', '.holdfast']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  comments.recommended,
  {
    rules: {
      '@eslint-community/eslint-comments/require-description': 'error',
      // A reason at the top of a file may hold for all of it.
      '@eslint-community/eslint-comments/disable-enable-pair': ['error', { allowWholeFile: true }],
    },
  },

  {
    files: ['**/*.{ts,tsx}'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { project: './tsconfig.lint.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      // A storage answers by promise even where it has nothing to wait for: that is its contract.
      '@typescript-eslint/require-await': 'off',
      // Numbers and booleans read the same in a text as in the source; the rule is there for objects and undefined.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // `() => listener()` and `return close()` hand on nothing by mistake where the function is declared void.
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      // `const { left, ...rest } = row` names a property to leave it out, and `_` says that a place is not used.
      '@typescript-eslint/no-unused-vars': [
        'error',
        { ignoreRestSiblings: true, argsIgnorePattern: '^_', varsIgnorePattern: '^_' },
      ],
      // `for (;;)` and `while (true)` are loops that end by return.
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    },
  },

  {
    files: ['**/*.{js,mjs}'],
    // They run on Node, so what this Node has is what they may name.
    languageOptions: {
      globals: Object.fromEntries(Object.getOwnPropertyNames(globalThis).map((name) => [name, 'readonly'])),
    },
  },

  {
    // What is longer than this needs a reason, written where the rule is disabled.
    files: ['src/**'],
    rules: {
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 40, skipBlankLines: true, skipComments: true }],
    },
  },

  {
    // Policy is a function of its inputs: moments, chance, timers and output come from the environment.
    files: ['src/core/**', 'src/testing/**'],
    ignores: ['src/core/environment.ts'],
    rules: {
      'no-restricted-globals': ['error', ...platformGlobals.map((name) => ({ name, message: instead }))],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: instead },
        { object: 'Math', property: 'random', message: instead },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: 'NewExpression[callee.name="Date"][arguments.length=0]', message: instead },
        { selector: 'CallExpression[callee.name="Date"]', message: instead },
        // Declaring the global in the file that uses it would get around no-restricted-globals.
        { selector: `VariableDeclaration[declare=true] Identifier[name=${isPlatformGlobal}]`, message: instead },
        { selector: `TSDeclareFunction[declare=true][id.name=${isPlatformGlobal}]`, message: instead },
      ],
    },
  },
)
