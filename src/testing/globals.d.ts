// What the kit makes payloads of. It is not part of the language's library, so it is declared here as narrowly as it is
// used; every platform that has a storage for them has both.

interface Blob {
  readonly size: number
  readonly type: string
  text(): Promise<string>
}

interface File extends Blob {
  readonly name: string
  readonly lastModified: number
}

declare const Blob: new (parts: readonly unknown[], options: { type: string }) => Blob
declare const File: new (
  parts: readonly unknown[],
  name: string,
  options: { type: string; lastModified: number },
) => File
