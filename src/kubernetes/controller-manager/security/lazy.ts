/** The controllers of `security.ts`, whose code comes when the manager starts them: the page loads without. */
import type { Runnable } from '../controller.ts';

type All = typeof import('./security.ts');

const late = (name: string, pick: (all: All) => Runnable): Runnable => ({
  name,
  run: (manager) => async (self) => pick(await self.outside(import('./security.ts'))).run(manager)(self),
});

/** `seed` stands for sa.key; without it no tokens are kept in Secrets. */
export const securityControllers = (seed: string | undefined): readonly Runnable[] => [
  late('certificatesigningrequest-approving-controller', (all) => all.csrApprovingController),
  late('certificatesigningrequest-signing-controller', (all) => all.csrSigningController),
  late('certificatesigningrequest-cleaner-controller', (all) => all.csrCleanerController),
  late('clusterrole-aggregation-controller', (all) => all.clusterRoleAggregationController),
  ...(seed === undefined ? [] : [late('serviceaccount-token-controller', (all) => all.serviceAccountTokenController(seed))]),
  late('bootstrap-signer-controller', (all) => all.bootstrapSignerController),
  late('token-cleaner-controller', (all) => all.tokenCleanerController),
];
