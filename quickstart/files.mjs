import { readdir, stat } from 'node:fs/promises'

const skipped = new Set(['.git', 'node_modules', '.holdfast', 'dist'])

/**
 * @typedef {object} FoundFile
 * @property {string} path from the folder, with `/`
 * @property {string} [rawPath] the path's bytes in base64, where they are not UTF-8, so that no text can name the file
 */

/**
 * Every file below a folder, links to files too, one at a time. Links to folders are not followed, and pipes, sockets
 * and devices are no files. What cannot be read is told as well, so that its job says why.
 *
 * @param {string} folder
 * @returns {AsyncGenerator<FoundFile>}
 */
export async function* filesBelow(folder) {
  const folders = [Buffer.alloc(0)]
  for (let path = folders.pop(); path !== undefined; path = folders.pop()) {
    try {
      for (const entry of await readdir(below(folder, path), { withFileTypes: true, encoding: 'buffer' })) {
        if (skipped.has(entry.name.toString())) continue
        const inside = path.length === 0 ? entry.name : Buffer.concat([path, Buffer.from('/'), entry.name])
        if (entry.isDirectory()) folders.push(inside)
        else if (entry.isFile()) yield named(inside)
        else if (entry.isSymbolicLink() && !(await leadsToFolder(below(folder, inside)))) yield named(inside)
      }
    } catch {
      yield named(path)
    }
  }
}

/** Where a found file is. @param {string} folder @param {FoundFile} file */
export function locate(folder, { path, rawPath }) {
  return below(folder, rawPath === undefined ? Buffer.from(path) : Buffer.from(rawPath, 'base64'))
}

/** @param {string} folder @param {Buffer} path */
function below(folder, path) {
  return Buffer.concat([Buffer.from(`${folder}/`), path])
}

/** A file system keeps names as bytes, and a payload is JSON. @param {Buffer} bytes @returns {FoundFile} */
function named(bytes) {
  const path = bytes.toString()
  return Buffer.from(path).equals(bytes) ? { path } : { path, rawPath: bytes.toString('base64') }
}

/** @param {Buffer} path */
async function leadsToFolder(path) {
  return stat(path).then(
    (target) => target.isDirectory(),
    () => false,
  )
}

/**
 * Collects items into arrays of at most `size`.
 *
 * @template T
 * @param {AsyncIterable<T>} items
 * @param {number} size
 */
export async function* inBatches(items, size) {
  /** @type {T[]} */
  let batch = []
  for await (const item of items) {
    if (batch.push(item) < size) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}
