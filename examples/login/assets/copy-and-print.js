// [data-copy] copies the text of the element with that selector; [data-print] prints the page.

import { announce } from './announce.js'
import { text as said } from './texts.js'

for (const button of document.querySelectorAll('[data-copy]')) {
  const label = button.firstElementChild
  const copy = label.textContent
  button.addEventListener('click', async () => {
    const source = document.querySelector(button.dataset.copy)
    const parts = source.matches('code') ? [source] : source.querySelectorAll('code')
    // The spaces between groups only help to read them.
    const text = [...parts].map((part) => part.textContent.replaceAll(' ', '')).join('\n')
    try {
      await navigator.clipboard.writeText(text)
    } catch {
      // The browser refuses. The text is selected, so that the person can copy it with the keyboard.
      getSelection().selectAllChildren(source)
      announce(said('selected'))
      return
    }
    announce(said('copiedAloud'))
    label.textContent = said('copied')
    setTimeout(() => (label.textContent = copy), 2000)
  })
}

for (const button of document.querySelectorAll('[data-print]')) button.addEventListener('click', () => print())
