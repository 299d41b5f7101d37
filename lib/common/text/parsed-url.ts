/** Parses URLs. Use it instead of `URL.canParse`, which in Node 20 and 22 rejects `https://é/` once V8 has optimized it. */

/** Returns undefined if the text is no URL. @param base of a relative URL */
export function parsedUrl(text: string, base?: URL): URL | undefined {
  try {
    return new URL(text, base);
  } catch {
    return undefined;
  }
}

/** Whether the text is an `http:` or `https:` URL. */
export function isWebUrl(text: string): boolean {
  return /^https?:$/.test(parsedUrl(text)?.protocol ?? '');
}
