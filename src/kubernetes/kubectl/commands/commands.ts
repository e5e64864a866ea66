/** All commands by name. */
import { apply } from './apply.ts';
import type { Command } from './command.ts';
import { config } from './config.ts';
import { create, replace } from './create.ts';
import { remove } from './delete.ts';
import { describe } from './describe.ts';
import { events } from './events.ts';
import { attach, exec } from './exec.ts';
import { explain } from './explain.ts';
import { get } from './get.ts';
import { logs } from './logs.ts';
import { apiResources, apiVersions, clusterInfo, version } from './server-info.ts';

export const COMMANDS: Readonly<Record<string, Command>> = {
  'api-resources': apiResources,
  'api-versions': apiVersions,
  apply,
  attach,
  'cluster-info': clusterInfo,
  config,
  create,
  delete: remove,
  describe,
  events,
  exec,
  explain,
  get,
  logs,
  replace,
  version,
};
