/** All commands by name. */
import { apply } from './apply.ts';
import type { Command } from './command.ts';
import { remove } from './delete.ts';
import { describe } from './describe.ts';
import { get } from './get.ts';

export const COMMANDS: Readonly<Record<string, Command>> = { get, describe, apply, delete: remove };
export const HELP = '';
