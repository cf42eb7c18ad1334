'use client'
// A page that draws a QR code.
import { useEffect } from 'react'

export default function Page() {
  useEffect(() => {
    import('../../page.mjs')
  }, [])
  return <p>Test</p>
}
