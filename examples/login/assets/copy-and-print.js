// [data-copy] copies what the element of that selector shows; [data-print] prints the page.

import { announce } from './announce.js'

for (const button of document.querySelectorAll('[data-copy]')) {
  const label = button.firstElementChild
  button.addEventListener('click', async () => {
    const source = document.querySelector(button.dataset.copy)
    const parts = source.matches('code') ? [source] : source.querySelectorAll('code')
    // The groups are for the eye.
    const text = [...parts].map((part) => part.textContent.replaceAll(' ', '')).join('\n')
    try {
      await navigator.clipboard.writeText(text)
    } catch {
      // Not allowed: then one key press copies what is selected here.
      getSelection().selectAllChildren(source)
      announce('Selected. Copy it with the keyboard.')
      return
    }
    announce('Copied.')
    label.textContent = 'Copied'
    setTimeout(() => (label.textContent = 'Copy'), 2000)
  })
}

for (const button of document.querySelectorAll('[data-print]')) button.addEventListener('click', () => print())
