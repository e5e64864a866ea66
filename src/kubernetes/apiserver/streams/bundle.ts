/** What leads through the API server to somebody else, brought in when first asked for. */
export { toKubelet } from './kubelet.ts';
export { serveProxy } from './proxy.ts';
