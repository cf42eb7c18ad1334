import { defineConfig } from 'vite'

export default defineConfig({
  clearScreen: false,
  build: { target: 'es2022', rollupOptions: { input: ['index.html', 'with-address.html'] } },
})
