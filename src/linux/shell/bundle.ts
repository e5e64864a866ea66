/** What `lazy.ts` brings in, in one piece. */
export { applets } from './applets/applets.ts';
export { createTerminal } from './interactive.ts';
export { CommandSession, sh } from './shell.ts';
export { Tty } from './tty.ts';
