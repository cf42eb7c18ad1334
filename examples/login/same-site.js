// Refuses requests from other sites, and redirections to them.

/** `target` if it is a path of this site, else `/`. Browsers read `\` as `/` and drop control characters. */
export function sameSitePath(target) {
  if (typeof target !== 'string' || target.length > 1000) return '/'
  if (!/^\/(?![/\\])[\x21-\x7e]*$/.test(target) || target.includes('\\')) return '/'
  // The decoded path is checked too, because a proxy may decode it on the way.
  let decoded
  try {
    decoded = decodeURIComponent(target)
  } catch {
    return '/'
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: browsers drop tabs and line breaks from an address
  if (/^\/\s*[/\\]/.test(decoded) || /[\\\x00-\x1f\x7f]/.test(decoded)) return '/'
  const url = new URL(target, 'https://here.invalid')
  if (url.host !== 'here.invalid' || url.pathname.startsWith('//')) return '/'
  return url.pathname + url.search
}

/**
 * Whether a changing request comes from a page of `origin`.
 * Browsers send Sec-Fetch-Site; older ones, and those on plain http, send Origin.
 * `silence` is the answer for a client that sends neither, so is no browser.
 */
export function isSameOrigin(headers, origin, silence) {
  if (headers['sec-fetch-site'] !== undefined) return headers['sec-fetch-site'] === 'same-origin'
  if (headers.origin !== undefined) return headers.origin === origin
  return silence
}
