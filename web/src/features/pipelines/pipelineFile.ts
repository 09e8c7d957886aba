/** Most that the service reads of a file, bytes. */
export const MOST_BYTES = 512 * 1024;

/** The connector that a pipeline's file names; only a help for choosing, the service reads the file itself. */
export function connectorOf(yaml: string): string | undefined {
  return /^\s*(?:source:\s*\{\s*)?["']?connector["']?:\s*["']?([\w-]+)/m.exec(yaml)?.[1];
}
