// A screen reader says the changes of an alert or a status, but not the text that is there from the start. So the notice
// that a page begins with gets the focus, or it describes the element that has it.

const notices = [...document.querySelectorAll('main :is([role="alert"], [role="status"])')]
const place = document.querySelector('[autofocus]') ?? document.getElementById(location.hash.slice(1))
const focused = /** @type {HTMLElement} */ (place ?? notices[0])

if (notices.length > 0) {
  for (const [index, notice] of notices.entries()) notice.id ||= `notice-${index}`
  const others = notices.filter((notice) => notice !== focused).map(({ id }) => id)
  const own = focused.getAttribute('aria-describedby')?.split(' ') ?? []
  // The news comes before the hints of a field.
  const described = new Set([...others, ...own])
  if (described.size > 0) focused.setAttribute('aria-describedby', [...described].join(' '))
  // A browser leaves `autofocus` out where the address names a part of the page.
  if (document.activeElement !== focused) {
    if (focused.tabIndex < 0) focused.tabIndex = -1
    focused.focus({ preventScroll: true })
  }
}
