/** kubectl certificate approve and deny (kubectl pkg/cmd/certificates). */
import type { Json } from '../../api/json.ts';
import { timestamp } from '../../api/time.ts';
import { fromFiles, getObject, loadFiles, locate, type Target } from '../builder.ts';
import { pathOf } from '../discovery.ts';
import { AggregateFailure, KubectlError } from '../errors.ts';
import { bool, FILE_FLAGS, PRINT_FLAGS } from '../flags.ts';
import { ResultPrinter } from '../printers/result.ts';
import { isObject, type ObjectLike, type Session } from '../session.ts';
import type { Command } from './command.ts';

interface Condition {
  readonly type: string;
  readonly [key: string]: Json | undefined;
}

/** Conflicts are read and tried again. */
const TRIES = 10;

function decide(type: 'Approved' | 'Denied', other: string, verb: string, reason: string): NonNullable<Command['run']> {
  return async (session, args) => {
    const targets = await targetsOf(session, args);
    const printer = new ResultPrinter(session);
    const errors: unknown[] = [];
    for (const target of targets) {
      try {
        printer.print(target.info, await decideOne(session, target, type, other, reason, verb), verb);
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1) throw new AggregateFailure(errors);
  };
}

async function targetsOf(session: Session, args: readonly string[]): Promise<readonly Target[]> {
  if (fromFiles(session)) {
    const found: Target[] = [];
    for (const loaded of await loadFiles(session)) found.push(await locate(session, loaded));
    return found;
  }
  if (args.length === 0) throw new KubectlError('one or more CSRs must be specified as <name> or -f <filename>');
  const info = await session.discovery.resolve('certificatesigningrequests');
  return args.map((name) => ({ info, namespace: '', name }));
}

async function decideOne(session: Session, target: Target, type: string, other: string, reason: string, verb: string): Promise<ObjectLike> {
  for (let tries = 0; ; tries++) {
    const object = await getObject(session, target);
    const status = isObject(object['status']) ? object['status'] : {};
    const conditions = (status['conditions'] ?? []) as unknown as readonly Condition[];
    const has = conditions.some((condition) => condition.type === type);
    if (has && !session.flags.bool('force')) return object;
    if (conditions.some((condition) => condition.type === other))
      throw new KubectlError(`certificate signing request ${JSON.stringify(target.name)} is already ${other}`);
    const now = timestamp(session.self.process.clock.now());
    const next = has
      ? conditions
      : [
          ...conditions,
          {
            type,
            status: 'True',
            reason,
            message: `This CSR was ${verb} by kubectl certificate ${verb === 'approved' ? 'approve' : 'deny'}.`,
            lastUpdateTime: now,
          },
        ];
    const body = { ...object, status: { ...status, conditions: next as unknown as Json } };
    const answer = await session.send('PUT', pathOf(target.info, '', target.name, 'approval'), { body: body as unknown as Json });
    if (answer.status === 409 && tries < TRIES) continue;
    if (answer.status >= 400)
      return (await session.request('PUT', pathOf(target.info, '', target.name, 'approval'), { body: body as unknown as Json })) as unknown as ObjectLike;
    return (answer.body ?? object) as unknown as ObjectLike;
  }
}

const FLAGS = { ...FILE_FLAGS, ...PRINT_FLAGS, force: bool() };

export const certificate: Command = {
  summary: 'Modify certificate resources',
  usage: 'kubectl certificate SUBCOMMAND [options]',
  subcommands: {
    approve: {
      summary: 'Approve a certificate signing request',
      usage: 'kubectl certificate approve (-f FILENAME | NAME) [options]',
      flags: FLAGS,
      run: decide('Approved', 'Denied', 'approved', 'KubectlApprove'),
    },
    deny: {
      summary: 'Deny a certificate signing request',
      usage: 'kubectl certificate deny (-f FILENAME | NAME) [options]',
      flags: FLAGS,
      run: decide('Denied', 'Approved', 'denied', 'KubectlDeny'),
    },
  },
};
