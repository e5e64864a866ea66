/**
 * Makes a fresh clone ready: installs what is missing, generates what is generated. Quick when nothing is.
 * Uses only what Node itself brings, for it runs before anything is installed.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');
export const run = (command, args, options = {}) => execFileSync(command, args, { cwd: root, stdio: 'inherit', ...options });

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Orrery needs Node 20.19 or newer; this is ${process.versions.node}.`);
  process.exit(1);
}

/** Installs when there is nothing, or when the lockfile is newer than what was installed. */
export function ensureInstalled() {
  const lock = join(root, 'package-lock.json');
  const stamp = join(root, 'node_modules', '.orrery-installed');
  const wanted = readFileSync(lock, 'utf8');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === String(statSync(lock).size) + wanted.slice(-200)) return;
  // install, not ci: ci refuses a lockfile without the entries of other platforms' optional binaries, which npm leaves out when
  // it writes one. Versions are the lockfile's all the same. Some packages download binaries at install; none of ours need their scripts. Standard output stays clean for those who read it.
  run('npm', ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund'], { stdio: ['ignore', 2, 2] });
  writeFileSync(stamp, String(statSync(lock).size) + wanted.slice(-200));
}

export function ensureGenerated() {
  run(process.execPath, ['scripts/generate.mjs'], { stdio: ['ignore', 2, 2] });
}

ensureInstalled();
ensureGenerated();
