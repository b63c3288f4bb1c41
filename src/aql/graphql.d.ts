// The ESM files of `graphql`, of which bundlers take what is used and Node loads no more: it types only their CommonJS twins.
declare module 'graphql/language/parser.mjs' {
  export { Parser } from 'graphql/language/parser.js'
}
declare module 'graphql/jsutils/suggestionList.mjs' {
  export { suggestionList } from 'graphql/jsutils/suggestionList.js'
}
