import { defineConfig } from 'vite'

export default defineConfig({
  ssr: { noExternal: true },
  build: { target: 'es2022', rollupOptions: { output: { entryFileNames: '[name].mjs' } } },
})
