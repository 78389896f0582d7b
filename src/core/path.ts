/** Paths of this system as text. */

/** What lies below a folder. */
export function below(folder: string, path: string): string {
  return folder.endsWith('/') ? `${folder}${path}` : `${folder}/${path}`
}

/** The folder that holds something (dirname(1)). */
export function folderOf(path: string): string {
  const [, folder] = /^(.*?)\/+[^/]*\/*$/.exec(path) ?? []
  if (folder === undefined) return '.'
  return folder === '' ? '/' : folder
}
