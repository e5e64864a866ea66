/** kubectl describe. */

import type { KubeObject } from '../../api/meta.ts';
import { fromFiles, getObject, listObjects, loadFiles, locate, select, type Target } from '../builder.ts';
import { describe as describeObject } from '../describe/describe.ts';
import { AggregateFailure, isNotFound, KubectlError } from '../errors.ts';
import { bool, FILE_FLAGS, text } from '../flags.ts';
import { readerOf, rowOf } from '../rows.ts';
import type { ObjectLike } from '../session.ts';
import type { Command } from './command.ts';

export const describe: Command = {
  summary: 'Show details of a specific resource or group of resources',
  usage: 'kubectl describe (-f FILENAME | TYPE [NAME_PREFIX | -l label] | TYPE/NAME) [options]',
  flags: {
    ...FILE_FLAGS,
    selector: text('l'),
    'all-namespaces': bool('A'),
    'show-events': { type: 'bool', default: 'true' },
    'chunk-size': { type: 'int', default: '500' },
  },
  run: async (session, args) => {
    const { flags } = session;
    const filed = fromFiles(session);
    if (args.length === 0 && !filed)
      throw new KubectlError('You must specify the type of resource to describe. Use "kubectl api-resources" for a complete list of supported resources.');
    const everything = flags.bool('all-namespaces');
    const found: (Target & { readonly object: ObjectLike; readonly prefixed?: boolean })[] = [];
    const failures: unknown[] = [];
    if (filed) {
      for (const loaded of await loadFiles(session)) {
        const target = await locate(session, loaded);
        found.push({ ...target, object: await getObject(session, target) });
      }
    } else {
      const selection = await select(session, args, { everything, selector: flags.text('selector') });
      for (const target of selection.targets) {
        try {
          found.push({ ...target, object: await getObject(session, target) });
        } catch (error) {
          if (!isNotFound(error)) {
            failures.push(error);
            continue;
          }
          // A name may be the beginning of names.
          const list = await listObjects(session, target.info, { everything });
          const matching = list.items.filter((item) => item.metadata.name?.startsWith(target.name));
          if (matching.length === 0) failures.push(error);
          for (const object of matching)
            found.push({ info: target.info, namespace: object.metadata.namespace ?? '', name: object.metadata.name ?? '', object, prefixed: true });
        }
      }
      for (const info of selection.lists) {
        const list = await listObjects(session, info, { everything, selector: flags.text('selector') });
        for (const object of list.items) found.push({ info, namespace: object.metadata.namespace ?? '', name: object.metadata.name ?? '', object });
      }
      if (found.length === 0 && failures.length === 0) {
        // Said of cluster-wide kinds too.
        session.err(everything ? 'No resources found\n' : `No resources found in ${session.namespace} namespace.\n`);
        return;
      }
    }
    const read = readerOf(session);
    let first = true;
    for (const { info, object, prefixed } of found) {
      const full = object.kind ? object : ({ ...object, kind: info.kind } as ObjectLike);
      const described = await describeObject(rowOf(info), full as unknown as KubeObject, read, {
        showEvents: flags.bool('show-events'),
        now: session.self.process.clock.now(),
      });
      // Objects found by the beginning of their names are told apart by a line after each.
      session.out(prefixed ? `${described}\n` : `${first ? '' : '\n\n'}${described}`);
      first = false;
    }
    if (failures.length === 1) throw failures[0];
    if (failures.length > 1) throw new AggregateFailure(failures);
  },
};
