/**
 * Who may do what (etcd server/auth/store.go): users, roles with ranges of keys, and the switch that makes them count. Changed
 * only through the log, and so the same on every member.
 *
 * Here simplified: a caller names its user and password with every call instead of fetching a token with them first, and
 * passwords are kept as a hash that is no bcrypt.
 */
import { hash32 } from '../../sim/rng.ts';
import { type AuthOperation, type AuthPermission, EtcdError, type RequestOp, type TxnRequest } from './api.ts';
import type { Asker, Operation } from './command.ts';

interface User {
  readonly name: string;
  /** Undefined: none will do (`--no-password`). */
  readonly password: string | undefined;
  readonly roles: readonly string[];
}
interface Role {
  readonly name: string;
  readonly permissions: readonly AuthPermission[];
}
export interface AuthImage {
  readonly enabled: boolean;
  readonly revision: number;
  readonly users: readonly User[];
  readonly roles: readonly Role[];
}

const failed = (text: string): EtcdError => new EtcdError(`etcdserver: ${text}`, 'FailedPrecondition');
const invalid = (text: string): EtcdError => new EtcdError(`etcdserver: ${text}`, 'InvalidArgument');

export const authErrors = {
  rootUserNotExist: () => failed('root user does not exist'),
  rootRoleNotExist: () => failed('root user does not have root role'),
  userExists: () => failed('user name already exists'),
  userEmpty: () => invalid('user name is empty'),
  userNotFound: () => failed('user name not found'),
  roleExists: () => failed('role name already exists'),
  roleNotFound: () => failed('role name not found'),
  roleEmpty: () => invalid('role name is empty'),
  failed: () => invalid('authentication failed, invalid user ID or password'),
  denied: () => new EtcdError('etcdserver: permission denied', 'PermissionDenied'),
  roleNotGranted: () => failed('role is not granted to the user'),
  permissionNotGranted: () => failed('permission is not granted to the role'),
  oldRevision: () => invalid('revision of auth store is old'),
  notEnabled: () => failed('authentication is not enabled'),
  management: () => invalid('invalid auth management'),
};

const ROOT = 'root';
const scrambled = (name: string, password: string): string => hash32(`${name}\0${password}`).toString(16);

export class Auth {
  enabled = false;
  /** Raised by every change. */
  revision = 1;
  private readonly users = new Map<string, User>();
  private readonly roles = new Map<string, Role>();

  /** Carries out a committed change. Throws EtcdError. */
  apply(operation: AuthOperation): void {
    switch (operation.what) {
      case 'enable': {
        if (this.enabled) return;
        const root = this.users.get(ROOT);
        if (!root) throw authErrors.rootUserNotExist();
        if (!root.roles.includes(ROOT)) throw authErrors.rootRoleNotExist();
        this.enabled = true;
        return;
      }
      case 'disable':
        if (!this.enabled) return;
        this.enabled = false;
        break;
      case 'user-add': {
        const { name, password } = operation;
        if (name === '') throw authErrors.userEmpty();
        if (this.users.has(name)) throw authErrors.userExists();
        this.users.set(name, { name, password: password === undefined ? undefined : scrambled(name, password), roles: [] });
        break;
      }
      case 'user-delete':
        if (this.enabled && operation.name === ROOT) throw authErrors.management();
        this.user(operation.name);
        this.users.delete(operation.name);
        break;
      case 'user-password': {
        const user = this.user(operation.name);
        this.users.set(user.name, { ...user, password: scrambled(user.name, operation.password) });
        break;
      }
      case 'user-grant': {
        const user = this.user(operation.name);
        if (operation.role !== ROOT) this.role(operation.role);
        if (user.roles.includes(operation.role)) return;
        this.users.set(user.name, { ...user, roles: [...user.roles, operation.role].sort() });
        break;
      }
      case 'user-revoke': {
        if (this.enabled && operation.name === ROOT && operation.role === ROOT) throw authErrors.management();
        const user = this.user(operation.name);
        if (!user.roles.includes(operation.role)) throw authErrors.roleNotGranted();
        this.users.set(user.name, { ...user, roles: user.roles.filter((role) => role !== operation.role) });
        break;
      }
      case 'role-add':
        if (operation.role === '') throw authErrors.roleEmpty();
        if (this.roles.has(operation.role)) throw authErrors.roleExists();
        this.roles.set(operation.role, { name: operation.role, permissions: [] });
        break;
      case 'role-delete':
        if (this.enabled && operation.role === ROOT) throw authErrors.management();
        this.role(operation.role);
        this.roles.delete(operation.role);
        for (const user of [...this.users.values()])
          if (user.roles.includes(operation.role)) this.users.set(user.name, { ...user, roles: user.roles.filter((role) => role !== operation.role) });
        break;
      case 'role-grant': {
        const role = this.role(operation.role);
        const { permission } = operation;
        const rest = role.permissions.filter((each) => !sameRange(each, permission));
        this.roles.set(role.name, { ...role, permissions: [...rest, permission].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)) });
        break;
      }
      case 'role-revoke': {
        const role = this.role(operation.role);
        const rest = role.permissions.filter((each) => !sameRange(each, operation));
        if (rest.length === role.permissions.length) throw authErrors.permissionNotGranted();
        this.roles.set(role.name, { ...role, permissions: rest });
      }
    }
    this.revision++;
  }

  /** Throws EtcdError. */
  userRoles(name: string): readonly string[] {
    return this.user(name).roles;
  }
  /** Throws EtcdError. */
  rolePermissions(name: string): readonly AuthPermission[] {
    return this.role(name).permissions;
  }
  userNames(): readonly string[] {
    return [...this.users.keys()].sort();
  }
  roleNames(): readonly string[] {
    return [...this.roles.keys()].sort();
  }

  /** Whether a caller is who it says it is. Throws EtcdError. */
  authenticate(name: string, password: string): void {
    if (!this.enabled) throw authErrors.notEnabled();
    const user = this.users.get(name);
    if (!user || user.password === undefined || user.password !== scrambled(name, password)) throw authErrors.failed();
  }

  // ---- what a user may ---- All throw EtcdError. Without authentication everybody may everything.

  mayRead(name: string, key: string, end: string | undefined): void {
    this.may(name, key, end, 'READ');
  }
  mayWrite(name: string, key: string, end?: string): void {
    this.may(name, key, end, 'WRITE');
  }
  mayTxn(name: string, request: TxnRequest): void {
    if (!this.enabled) return;
    for (const { key, rangeEnd } of request.compare) this.mayRead(name, key, rangeEnd);
    for (const op of [...request.success, ...request.failure]) this.mayOp(name, op);
  }
  /** What is about the cluster, not about keys, is for those who have the role root. */
  mayAdminister(name: string): void {
    if (!this.enabled) return;
    if (name === '') throw authErrors.userEmpty();
    if (!this.users.get(name)?.roles.includes(ROOT)) throw authErrors.denied();
  }
  isRoot(name: string): boolean {
    return this.users.get(name)?.roles.includes(ROOT) ?? false;
  }

  /** What a committed command may do, looked at when it is applied (etcd apply_auth.go, authApplierV3). `keysOf`: of a lease. */
  mayApply({ user, revision }: Asker, operation: Operation, keysOf: (lease: number) => readonly string[]): void {
    if (!this.enabled) return;
    const known = (): void => {
      if (revision === 0) throw authErrors.userEmpty();
      // Users have changed since the member looked who asks.
      if (revision < this.revision) throw authErrors.oldRevision();
    };
    switch (operation.type) {
      case 'put':
        known();
        this.mayOp(user, { requestPut: operation.request });
        // Whoever may not write what hangs on a lease may not hang more on it: it could not be revoked.
        if (operation.request.lease) for (const key of keysOf(operation.request.lease)) this.mayWrite(user, key);
        return;
      case 'delete':
        known();
        this.mayOp(user, { requestDeleteRange: operation.request });
        return;
      case 'txn':
        known();
        this.mayTxn(user, operation.request);
        return;
      case 'revoke':
        for (const key of keysOf(operation.lease)) {
          known();
          this.mayWrite(user, key);
        }
        return;
      case 'auth':
        known();
        this.mayAdminister(user);
    }
  }

  private mayOp(name: string, op: RequestOp): void {
    if ('requestRange' in op) this.mayRead(name, op.requestRange.key, op.requestRange.rangeEnd);
    else if ('requestPut' in op) {
      if (op.requestPut.prevKv) this.mayRead(name, op.requestPut.key, undefined);
      this.mayWrite(name, op.requestPut.key);
    } else if ('requestDeleteRange' in op) {
      if (op.requestDeleteRange.prevKv) this.mayRead(name, op.requestDeleteRange.key, op.requestDeleteRange.rangeEnd);
      this.mayWrite(name, op.requestDeleteRange.key, op.requestDeleteRange.rangeEnd);
    } else this.mayTxn(name, op.requestTxn);
  }

  private may(name: string, key: string, end: string | undefined, type: 'READ' | 'WRITE'): void {
    if (!this.enabled) return;
    if (name === '') throw authErrors.userEmpty();
    const user = this.users.get(name);
    if (!user) throw authErrors.denied();
    if (user.roles.includes(ROOT)) return;
    const granted = user.roles.flatMap((role) => this.roles.get(role)?.permissions ?? []).filter((each) => each.type === type || each.type === 'READWRITE');
    if (!covered(granted, key, end || undefined)) throw authErrors.denied();
  }

  image(): AuthImage {
    return { enabled: this.enabled, revision: this.revision, users: [...this.users.values()], roles: [...this.roles.values()] };
  }
  restore({ enabled, revision, users, roles }: AuthImage): void {
    this.enabled = enabled;
    this.revision = revision;
    this.users.clear();
    this.roles.clear();
    for (const user of users) this.users.set(user.name, user);
    for (const role of roles) this.roles.set(role.name, role);
  }

  private user(name: string): User {
    const user = this.users.get(name);
    if (!user) throw authErrors.userNotFound();
    return user;
  }
  private role(name: string): Role {
    const role = this.roles.get(name);
    if (!role) throw authErrors.roleNotFound();
    return role;
  }
}

const sameRange = (a: { readonly key: string; readonly rangeEnd: string }, b: { readonly key: string; readonly rangeEnd: string }): boolean =>
  a.key === b.key && a.rangeEnd === b.rangeEnd;

/** Whether ranges together, in order of their keys, cover one (etcd range_perm_cache.go: merged intervals). */
function covered(granted: readonly AuthPermission[], key: string, end: string | undefined): boolean {
  const ranges = granted
    .map((each) => ({ from: each.key, to: each.rangeEnd === '\0' ? undefined : each.rangeEnd || `${each.key}\0` }))
    .sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
  const last = end === undefined ? `${key}\0` : end === '\0' ? undefined : end;
  let reached = key;
  for (const { from, to } of ranges) {
    if (from > reached) break;
    if (to === undefined) return true;
    if (to > reached) reached = to;
    if (last !== undefined && reached >= last) return true;
  }
  return false;
}
