/** auth, user, role: who may do what (etcd etcdctl/ctlv3/command/{auth,user,role}_command.go). */
import { type AuthAnswer, type AuthOperation, type AuthPermission, type AuthQuestion, EtcdError, type ResponseHeader } from '../../etcd/api.ts';
import type { Ctl } from '../ctl.ts';
import { badArgs, CtlError, ExitCode } from '../errors.ts';
import { bool, text } from '../flags.ts';
import { FieldsPrinter, goQuote } from '../printers/fields.ts';
import { bytes, headerJson } from '../printers/json.ts';
import { ProtobufPrinter } from '../printers/protobuf.ts';
import type { Command } from './command.ts';
import { readAll } from './kv.ts';
import { prefixEnd } from './range.ts';

const change = (ctl: Ctl, operation: AuthOperation): Promise<{ readonly header: ResponseHeader }> =>
  ctl.ask(ctl.client.call((server) => server.auth(operation), false));
const ask = (ctl: Ctl, question: AuthQuestion): Promise<AuthAnswer> => ctl.ask(ctl.client.call((server) => server.askAuth(question), true));

/** What an answer says beside its header, in the forms that are not for people. */
interface Said {
  /** Names and values, already written as JSON; those that are empty are left out by whoever gives them. */
  readonly json?: Readonly<Record<string, string>>;
  /** Lines of `--write-out fields`; undefined: etcdctl has no such form of this answer. */
  readonly fields?: string | undefined;
}

/** Throws CtlError. */
function say(ctl: Ctl, header: ResponseHeader, simple: string, said: Said = { fields: '' }): void {
  const form = ctl.flags.text('write-out');
  switch (form) {
    case 'simple':
      ctl.self.stdout(simple);
      return;
    case 'json':
      ctl.self.stdout(
        `{"header":${headerJson(header)}${Object.entries(said.json ?? {})
          .map(([name, value]) => `,"${name}":${value}`)
          .join('')}}\n`,
      );
      return;
    case 'fields':
      if (said.fields === undefined) break;
      new FieldsPrinter((line) => ctl.self.stdout(line)).header(header);
      ctl.self.stdout(said.fields);
      return;
    case 'protobuf':
      // Here simplified: what an answer says beside its header is left out.
      new ProtobufPrinter((text) => ctl.self.stdout(text)).header(header);
      return;
  }
  throw new CtlError(ExitCode.BadFeature, `${form} not supported as output format`);
}
const listJson = (name: string, names: readonly string[]): Said['json'] => (names.length > 0 ? { [name]: JSON.stringify(names) } : {});

const lines = (names: readonly string[]): string => names.map((name) => `${name}\n`).join('');

/** From standard input: here simplified, a terminal shows what is typed. Throws CtlError. */
async function askPassword(ctl: Ctl, name: string, interactive: boolean): Promise<string> {
  if (interactive) ctl.self.stdout(`Password of ${name}: `);
  const [first = '', second = first] = (await readAll(ctl)).split('\n');
  if (!interactive) return first;
  if (first === '') throw badArgs('empty password');
  ctl.self.stdout(`\nType password of ${name} again for confirmation: \n`);
  if (second !== '' && second !== first) throw badArgs('given passwords are different');
  return first;
}

const INTERACTIVE = { interactive: { ...bool('Read password from stdin instead of interactive terminal'), default: 'true' } };

const userAdd: Command = {
  use: 'user add <user name or user:password> [options]',
  short: 'Adds a new user',
  flags: {
    ...INTERACTIVE,
    'new-user-password': text('Supply password from the command line flag'),
    'no-password': bool('Create a user without password (CN based auth only)'),
  },
  async run(ctl, args) {
    if (args.length !== 1) throw badArgs('user add command requires user name as its argument');
    const [given = ''] = args;
    let name = given;
    let password: string | undefined;
    if (!ctl.flags.bool('no-password')) {
      const colon = given.indexOf(':');
      if (ctl.flags.text('new-user-password') !== '') password = ctl.flags.text('new-user-password');
      else if (colon < 0) password = await askPassword(ctl, given, ctl.flags.bool('interactive'));
      else {
        name = given.slice(0, colon);
        password = given.slice(colon + 1);
        if (name === '') throw badArgs('empty user name is not allowed');
      }
    }
    const { header } = await change(ctl, { what: 'user-add', name, ...(password === undefined ? {} : { password }) });
    say(ctl, header, `User ${name} created\n`);
  },
};

const userDelete: Command = {
  use: 'user delete <user name>',
  short: 'Deletes a user',
  async run(ctl, args) {
    if (args.length !== 1) throw badArgs('user delete command requires user name as its argument');
    const [name = ''] = args;
    const { header } = await change(ctl, { what: 'user-delete', name });
    say(ctl, header, `User ${name} deleted\n`);
  },
};

const userGet: Command = {
  use: 'user get <user name> [options]',
  short: 'Gets detailed information of a user',
  flags: { detail: bool('Show permissions of roles granted to the user') },
  async run(ctl, args) {
    if (args.length !== 1) throw badArgs('user get command requires user name as its argument');
    const [name = ''] = args;
    const { header, names } = await ask(ctl, { what: 'user', name });
    if (!ctl.flags.bool('detail')) {
      say(ctl, header, `User: ${name}\nRoles:${names.map((role) => ` ${role}`).join('')}\n`, { json: listJson('roles', names) });
      return;
    }
    ctl.self.stdout(`User: ${name}\n`);
    for (const role of names) {
      ctl.self.stdout('\n');
      await showRole(ctl, role);
    }
  },
};

const userList: Command = {
  use: 'user list',
  short: 'Lists all users',
  async run(ctl, args) {
    if (args.length !== 0) throw badArgs('user list command requires no arguments');
    const { header, names } = await ask(ctl, { what: 'users' });
    say(ctl, header, lines(names), { json: listJson('users', names) });
  },
};

const userPasswd: Command = {
  use: 'user passwd <user name> [options]',
  short: 'Changes password of user',
  flags: { interactive: { ...bool('If true, read password from stdin instead of interactive terminal'), default: 'true' } },
  async run(ctl, args) {
    if (args.length !== 1) throw badArgs('user passwd command requires user name as its argument');
    const [name = ''] = args;
    const password = await askPassword(ctl, name, ctl.flags.bool('interactive'));
    const { header } = await change(ctl, { what: 'user-password', name, password });
    say(ctl, header, 'Password updated\n');
  },
};

const userRole = (what: 'user-grant' | 'user-revoke'): Command => ({
  use: `user ${what === 'user-grant' ? 'grant-role' : 'revoke-role'} <user name> <role name>`,
  short: what === 'user-grant' ? 'Grants a role to a user' : 'Revokes a role from a user',
  async run(ctl, args) {
    if (args.length !== 2)
      throw badArgs(
        what === 'user-grant'
          ? 'user grant command requires user name and role name as its argument'
          : 'user revoke-role requires user name and role name as its argument',
      );
    const [name = '', role = ''] = args;
    const { header } = await change(ctl, { what, name, role });
    say(ctl, header, what === 'user-grant' ? `Role ${role} is granted to user ${name}\n` : `Role ${role} is revoked from user ${name}\n`);
  },
});

export const user: Command = {
  use: 'user <subcommand>',
  short: 'User related commands',
  commands: {
    add: userAdd,
    delete: userDelete,
    get: userGet,
    'grant-role': userRole('user-grant'),
    list: userList,
    passwd: userPasswd,
    'revoke-role': userRole('user-revoke'),
  },
};

const roleChange = (what: 'role-add' | 'role-delete'): Command => {
  const verb = what === 'role-add' ? 'add' : 'delete';
  return {
    use: `role ${verb} <role name>`,
    short: what === 'role-add' ? 'Adds a new role' : 'Deletes a role',
    async run(ctl, args) {
      if (args.length !== 1) throw badArgs(`role ${verb} command requires role name as its argument`);
      const [role = ''] = args;
      const { header } = await change(ctl, { what, role });
      say(ctl, header, `Role ${role} ${what === 'role-add' ? 'created' : 'deleted'}\n`);
    },
  };
};

/** Their numbers in auth.proto. */
const TYPES = { READ: 0, WRITE: 1, READWRITE: 2 } as const;

const permissionJson = ({ type, key, rangeEnd }: AuthPermission): string => {
  const parts = [
    TYPES[type] === 0 ? '' : `"permType":${TYPES[type]}`,
    key === '' ? '' : `"key":${bytes(key)}`,
    rangeEnd === '' ? '' : `"range_end":${bytes(rangeEnd)}`,
  ];
  return `{${parts.filter(Boolean).join()}}`;
};

async function showRole(ctl: Ctl, role: string): Promise<void> {
  const { header, permissions } = await ask(ctl, { what: 'role', role });
  const shown = ({ key, rangeEnd }: AuthPermission): string => {
    if (rangeEnd === '') return `\t${key}\n`;
    const range = rangeEnd === '\0' ? `\t[${key}, <open ended>` : `\t[${key}, ${rangeEnd})`;
    return `${range}${prefixEnd(key) === rangeEnd ? ` (prefix ${key})` : ''}\n`;
  };
  const which = (type: AuthPermission['type']): string =>
    permissions
      .filter((each) => each.type === type || each.type === 'READWRITE')
      .map(shown)
      .join('');
  // root may everything, whatever else is granted to it; since 3.5 that is said.
  const all = role === 'root' && permissions.length === 0 ? '\t[, <open ended>\n' : '';
  say(ctl, header, `Role ${role}\nKV Read:\n${all}${which('READ')}KV Write:\n${all}${which('WRITE')}`, {
    json: permissions.length > 0 ? { perm: `[${permissions.map(permissionJson).join()}]` } : {},
    fields: permissions.map(({ type, key, rangeEnd }) => `"PermType" :  ${type}\n"Key" : ${goQuote(key)}\n"RangeEnd" : ${goQuote(rangeEnd)}\n`).join(''),
  });
}

const roleGet: Command = {
  use: 'role get <role name>',
  short: 'Gets detailed information of a role',
  async run(ctl, args) {
    if (args.length !== 1) throw badArgs('role get command requires role name as its argument');
    await showRole(ctl, args[0]!);
  },
};

const roleList: Command = {
  use: 'role list',
  short: 'Lists all roles',
  async run(ctl, args) {
    if (args.length !== 0) throw badArgs('role list command requires no arguments');
    const { header, names } = await ask(ctl, { what: 'roles' });
    say(ctl, header, lines(names), { json: listJson('roles', names), fields: `"Roles" :${names.map((name) => ` ${goQuote(name)}`).join('')}\n` });
  },
};

const RANGE = {
  'from-key': bool('grant a permission of keys that are greater than or equal to the given key using byte compare'),
  prefix: bool('grant a prefix permission'),
};

/** Throws CtlError. */
function permissionRange(ctl: Ctl, key: string, end: string | undefined): { readonly key: string; readonly rangeEnd: string } {
  const prefix = ctl.flags.bool('prefix');
  const fromKey = ctl.flags.bool('from-key');
  if (prefix && fromKey) throw badArgs('--from-key and --prefix flags are mutually exclusive');
  if (end !== undefined && (prefix || fromKey)) throw badArgs(`unexpected endkey argument with ${prefix ? '--prefix' : '--from-key'} flag`);
  if (prefix) return { key: key === '' ? '\0' : key, rangeEnd: prefixEnd(key) };
  if (fromKey) return { key: key === '' ? '\0' : key, rangeEnd: '\0' };
  return { key, rangeEnd: end ?? '' };
}

const roleGrant: Command = {
  use: 'role grant-permission [options] <role name> <permission type> <key> [endkey]',
  short: 'Grants a key to a role',
  flags: RANGE,
  async run(ctl, args) {
    if (args.length < 3) throw badArgs('role grant command requires role name, permission type, and key [endkey] as its argument');
    const [role = '', given = '', key = '', end] = args;
    const type = given.toUpperCase();
    if (type !== 'READ' && type !== 'WRITE' && type !== 'READWRITE') throw badArgs(`invalid permission type: ${given}`);
    const { header } = await change(ctl, { what: 'role-grant', role, permission: { type, ...permissionRange(ctl, key, end) } });
    say(ctl, header, `Role ${role} updated\n`);
  },
};

const roleRevoke: Command = {
  use: 'role revoke-permission <role name> <key> [endkey]',
  short: 'Revokes a key from a role',
  flags: {
    'from-key': bool('revoke a permission of keys that are greater than or equal to the given key using byte compare'),
    prefix: bool('revoke a prefix permission'),
  },
  async run(ctl, args) {
    if (args.length < 2) throw badArgs('role revoke-permission command requires role name and key [endkey] as its argument');
    const [role = '', given = '', end] = args;
    const { key, rangeEnd } = permissionRange(ctl, given, end);
    const { header } = await change(ctl, { what: 'role-revoke', role, key, rangeEnd });
    const what = rangeEnd === '' ? `key ${given}` : rangeEnd === '\0' ? `range [${given}, <open ended>` : `range [${given}, ${rangeEnd})`;
    say(ctl, header, `Permission of ${what} is revoked from role ${role}\n`);
  },
};

export const role: Command = {
  use: 'role <subcommand>',
  short: 'Role related commands',
  commands: {
    add: roleChange('role-add'),
    delete: roleChange('role-delete'),
    get: roleGet,
    'grant-permission': roleGrant,
    list: roleList,
    'revoke-permission': roleRevoke,
  },
};

const enable: Command = {
  use: 'auth enable',
  short: 'Enables authentication',
  async run(ctl, args) {
    if (args.length !== 0) throw badArgs('auth enable command does not accept any arguments');
    const attempt = (): Promise<{ readonly header: ResponseHeader }> => ctl.within(ctl.client.call((server) => server.auth({ what: 'enable' }), false));
    try {
      await attempt();
    } catch (error) {
      if (!(error instanceof EtcdError)) throw error;
      if (!error.message.includes('does not have root role')) throw new CtlError(ExitCode.Error, error.message);
      // etcdctl gives root its role before it asks again.
      await ctl.within(ctl.client.call((server) => server.auth({ what: 'role-add', role: 'root' }), false)).catch(() => {});
      await change(ctl, { what: 'user-grant', name: 'root', role: 'root' });
      await ctl.ask(attempt());
    }
    // etcdctl prints this line in every form.
    ctl.self.stdout('Authentication Enabled\n');
  },
};

const disable: Command = {
  use: 'auth disable',
  short: 'Disables authentication',
  async run(ctl, args) {
    if (args.length !== 0) throw badArgs('auth disable command does not accept any arguments');
    await change(ctl, { what: 'disable' });
    ctl.self.stdout('Authentication Disabled\n');
  },
};

const status: Command = {
  use: 'auth status',
  short: 'Returns authentication status',
  async run(ctl, args) {
    if (args.length !== 0) throw badArgs('auth status command does not accept any arguments');
    const { header, enabled, revision } = await ask(ctl, { what: 'status' });
    say(ctl, header, `Authentication Status: ${enabled}\nAuthRevision: ${revision}\n`, {
      json: { ...(enabled ? { enabled: 'true' } : {}), authRevision: String(revision) },
      fields: `"Enabled" : ${enabled}\n"AuthRevision" : ${revision}\n`,
    });
  },
};

export const auth: Command = { use: 'auth <enable or disable>', short: 'Enable or disable authentication', commands: { disable, enable, status } };
