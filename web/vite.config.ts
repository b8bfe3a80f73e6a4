import { defineConfig } from 'vite';

/** `npm run build` puts the page into dist/web, from where the program serves it. */
// eslint-disable-next-line no-restricted-syntax -- Vite reads the default export
export default defineConfig({
  root: import.meta.dirname,
  build: {
    outDir: '../dist/web',
    emptyOutDir: true,
    target: 'es2022',
    // The page's content security policy allows files, and nothing inline.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: { '/api': 'http://127.0.0.1:8080', '^/(version|metrics|readyz)$': 'http://127.0.0.1:8080' },
  },
});
