/** What `lazy.ts` brings in, in one piece. */
export { applets } from './applets/applets.ts';
export { createTerminal } from './interactive.ts';
export { runCommand, sh } from './shell.ts';
export { Shell } from './state.ts';
