import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** The app is a folder of static files that works from any path; the world is a module worker, the editor and the terminal arrive when opened. */
export default defineConfig({
  base: './',
  plugins: [react()],
  // monaco-yaml and its worker manager still import Monaco by the paths it had before 0.56; the package's exports map adds the rest.
  resolve: { alias: [{ find: /^monaco-editor\/esm\/vs\/(.+?)(?:\.js)?$/, replacement: 'monaco-editor/$1' }] },
  worker: { format: 'es' },
  // Dependencies first met inside a worker would make the dev server reload the page, and with it the world.
  optimizeDeps: { include: ['js-yaml', 'monaco-yaml/yaml.worker.js', 'sorted-btree', 'rfc6902', 'ipaddr.js'] },
  build: { target: 'es2023', chunkSizeWarningLimit: 4000 },
  server: { host: '127.0.0.1', port: 5173, strictPort: true },
  preview: { host: '127.0.0.1', port: 4173, strictPort: true },
  test: { include: ['src/**/*.test.ts', 'src/**/*.test.tsx'] },
} as Parameters<typeof defineConfig>[0]);
