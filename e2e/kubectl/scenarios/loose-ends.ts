/** What few people use, and those who do count on: raw writes, the remembered configuration edited, several kubeconfigs, key pairs that do not match. */
import type { Scenario } from '../scenario.ts';

const CONFIG = (letter: string, more = ''): string =>
  `apiVersion: v1\nkind: Config\nclusters:\n- name: ${letter}\n  cluster: {server: "http://${letter}"}\ncontexts:\n- name: c${letter}\n  context: {cluster: ${letter}, user: u${letter}}\nusers:\n- name: u${letter}\n  user: {token: t${letter}}\n${more}`;

const RSA_CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIB9DCCAV2gAwIBAgIUVc+z5znbGULoCK2DDTFb0Dm9+pIwDQYJKoZIhvcNAQEL
BQAwDDEKMAgGA1UEAwwBYTAeFw0yNjExMjExNzM2NTFaFw0zNjExMTgxNzM2NTJa
MAwxCjAIBgNVBAMMAWEwgZ8wDQYJKoZIhvcNAQEBBQADgY0AMIGJAoGBAOgZqGFe
OcoQ4A3xWHW5Tf0GCDkar//Ow/GXdYhUbvqAA7EJwuWkrZR0RqXpwNl/O9G8TcG9
WPE3bOAMTEjO1hm753PzqraAZWPqvMJYovGaTjS14TZL6+oulKEu5UsbgZ7bCgUM
39TzFncGT544GIYue5QoANqKUxRCo4M6wKvJAgMBAAGjUzBRMB0GA1UdDgQWBBTU
zH/20MpSKcx2s24cZk1BYgWuFjAfBgNVHSMEGDAWgBTUzH/20MpSKcx2s24cZk1B
YgWuFjAPBgNVHRMBAf8EBTADAQH/MA0GCSqGSIb3DQEBCwUAA4GBAIr/UiqLPIyk
A/lpxTAnI/mxaWw1n13Ul9i+nfl/TzBDLAVbUO/4zHZMdcubftKTpLHTOtirODSU
Q2fCVZooeUwPbqy5lywA2DTAYnRU9TGIHU4ZdrLf1A/pOZCuKQ3b+7RAVaThMY6/
c6kyD92VhO85M+c3yxpLWuKWdcLdpj9y
-----END CERTIFICATE-----
`;
const RSA_KEY = `-----BEGIN PRIVATE KEY-----
MIICdgIBADANBgkqhkiG9w0BAQEFAASCAmAwggJcAgEAAoGBAOgZqGFeOcoQ4A3x
WHW5Tf0GCDkar//Ow/GXdYhUbvqAA7EJwuWkrZR0RqXpwNl/O9G8TcG9WPE3bOAM
TEjO1hm753PzqraAZWPqvMJYovGaTjS14TZL6+oulKEu5UsbgZ7bCgUM39TzFncG
T544GIYue5QoANqKUxRCo4M6wKvJAgMBAAECgYBCP2CSOiTgiiSJlkObhoK+H8Sl
F/r4VvoSsRp5CTCMC5ICLDkW9wQchXvMy4WiDvDyEn9XN0Z1w04uPRRhC7iMIK+t
wsI8yKVpj0M+L+UQ3LFy0jxm7nagOd0/7woZ7U8aGosTch9ExnOHoOBhn5Hh7ZIG
WXiLaJuzfh5QBEWDSQJBAPYK3vHYhoUI/eIUKmxIsm3yC0u+pwokDfIffq8gRF7d
tw1GyFE+41LR8dBXr7mLt7/xMGDZyZX91KBR14wqORMCQQDxflaDbBmpmfPxU9xV
vZ7BeO9rg6DRNdO+lgKNpW1UwO06YbAAs/tRtYGeonkL5mzxs9uWVoruRNMcZVk0
mh8zAkBdVpZpLPkrMtQNlhTZ62I1L2N1oqf/wtm/ho8qpJULYBT3ZmjL2Y2nd5nC
reEuBID6webWdwhwbFDjWOjqdYIdAkEA0OmBgCnpPW6AuTnZ95aVmzu6q2Dwo2wU
ZOCzDsSYg2RvFT1jHAiXlsUVgB1/6AqMHsCAa1sszxldJEiM1lOqPwJAcZxZeitZ
juOube/zsk+N26H+77542EzaRcf/WO6elnQXdgvz8okhXod26rTwgE4ezG+12pFl
lun/2qgIPFXffA==
-----END PRIVATE KEY-----
`;
const EC_CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBbTCCAROgAwIBAgIUDcX0DWuI2Eiz0GsOWXfAFW0SK1owCgYIKoZIzj0EAwIw
DDEKMAgGA1UEAwwBYzAeFw0yNjExMjExNzMyNDVaFw0zNjExMTgxNzMyNDVaMAwx
CjAIBgNVBAMMAWMwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQJKbQtwReCwjqt
qeZHkar/+qnuPlnzkpaR//FmW0rkRQVGuxx/Wsl4dL3ypq1GFCObOufVMw5ahwEE
QqPQChOuo1MwUTAdBgNVHQ4EFgQU8mI9ViY+UNXct8J8/TDYoE9AtdYwHwYDVR0j
BBgwFoAU8mI9ViY+UNXct8J8/TDYoE9AtdYwDwYDVR0TAQH/BAUwAwEB/zAKBggq
hkjOPQQDAgNIADBFAiEAoXZDQupOBqQYIQUPgaK+pIWdSTiTHhP/OcKlKhqK+FgC
IDwkBYx6lKiB5dVkL28OeFrgfqFnmxO8ChhV95DRSbxV
-----END CERTIFICATE-----
`;
const EC_KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgeGXwgxcJxWzf/tC+
1eWvCLTVnzrcaTiOIVrZup28vGqhRANCAAQJKbQtwReCwjqtqeZHkar/+qnuPlnz
kpaR//FmW0rkRQVGuxx/Wsl4dL3ypq1GFCObOufVMw5ahwEEQqPQChOu
-----END PRIVATE KEY-----
`;
const OTHER_EC_KEY = `-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIE/KcRJSpzUOKtQ4d78dhW0+2o23S9tqHjC+7vg912bboAoGCCqGSM49
AwEHoUQDQgAENiYay/dfAqHcGNV7ggs6UeRnR2S8jIDx3xLj1rzlDK6/F+R16j1Z
FKAhOMCuRUb+dhL2zKrSVW/PvABY9MEMFg==
-----END EC PRIVATE KEY-----
`;

export const looseEnds: readonly Scenario[] = [
  {
    name: 'raw writes',
    files: {
      'raw.json': '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"raw"},"data":{"a":"1"}}',
      'raw2.json': '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"raw"},"data":{"a":"2"}}',
    },
    steps: [
      'kubectl create --raw /api/v1/namespaces/default/configmaps -f raw.json > /dev/null',
      'kubectl create --raw /api/v1/namespaces/default/configmaps -f raw.json',
      'kubectl replace --raw /api/v1/namespaces/default/configmaps/raw -f raw2.json > /dev/null',
      "kubectl get cm raw -o jsonpath='{.data}'",
      'kubectl replace --raw /api/v1/namespaces/default/configmaps/nope -f raw.json',
      'kubectl replace --raw /api/v1/namespaces/default/configmaps/raw',
      'kubectl replace --raw api -f raw.json',
      'kubectl replace --raw /api -f raw.json -f raw2.json',
      'kubectl replace --raw /api/v1/namespaces/default/configmaps/raw -f nope.json',
      'kubectl replace --raw /api/v1/namespaces/default/configmaps/raw -f raw.json -o yaml',
      'kubectl replace --raw /api/v1/namespaces/default/configmaps/raw -f raw.json -R',
      'kubectl create --raw :: -f raw.json',
      'kubectl create --raw /api/v1/namespaces/default/configmaps -f raw.json --edit',
      'kubectl create --raw /api/v1/namespaces/default/configmaps -f raw.json -l a=b',
      'kubectl create --raw /api/v1/namespaces/default/configmaps -f raw.json -o yaml',
    ],
  },
  {
    name: 'apply edit-last-applied',
    files: { 'ela.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ela\ndata:\n  a: one\n' },
    steps: [
      'kubectl apply -f ela.yaml',
      'KUBE_EDITOR=true kubectl apply edit-last-applied cm ela',
      "KUBE_EDITOR='sed -i s/one/two/' kubectl apply edit-last-applied cm ela",
      'kubectl apply view-last-applied cm/ela',
      "kubectl get cm ela -o jsonpath='{.data}'",
      "KUBE_EDITOR='cat' kubectl apply edit-last-applied cm ela",
      "KUBE_EDITOR='cat' kubectl apply edit-last-applied cm ela -o json",
      "KUBE_EDITOR='sed -i s/two/three/' kubectl apply edit-last-applied cm ela -o yaml",
      "KUBE_EDITOR='sed -i /./d' kubectl apply edit-last-applied cm ela 2>&1 | sed 's/stored to.*/stored/'",
      "KUBE_EDITOR='sed -i s/ela/elb/' kubectl apply edit-last-applied cm ela 2>&1 | sed 's/stored to.*/stored/'",
      "KUBE_EDITOR='sed -i s/^kind:/kinda:/' kubectl apply edit-last-applied cm ela 2>&1 | sed 's/stored to.*/stored/'",
      'KUBE_EDITOR=cat kubectl apply edit-last-applied cm kube-root-ca.crt',
      'kubectl apply edit-last-applied cm nope',
      'kubectl apply edit-last-applied',
      'kubectl delete cm ela',
    ],
  },
  {
    name: 'explain in other formats',
    steps: [
      'kubectl explain pods --output=nope',
      'kubectl explain pods --output=plaintext-openapiv2',
      'kubectl explain deployments.spec --output=plaintext-openapiv2',
      'kubectl explain nope --output=nope',
      'kubectl explain pods.spec.nope --output=plaintext',
      'kubectl explain pods --output=',
    ],
  },
  {
    name: 'key pairs',
    files: {
      'rc.pem': RSA_CERTIFICATE,
      'rk.pem': RSA_KEY,
      'ec.pem': EC_CERTIFICATE,
      'ek.pem': EC_KEY,
      'ek2.pem': OTHER_EC_KEY,
      'bad.pem': '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n',
      'none.pem': 'nothing\n',
    },
    steps: [
      ['rc', 'rk'],
      ['ec', 'ek'],
      ['ec', 'ek2'],
      ['rc', 'ek'],
      ['ec', 'rk'],
      ['rk', 'rc'],
      ['rc', 'rc'],
      ['bad', 'ek'],
      ['none', 'ek'],
      ['ec', 'none'],
    ].map(([cert, key]) => `kubectl create secret tls pair --cert=${cert}.pem --key=${key}.pem --dry-run=client -o name`),
  },
  {
    name: 'config in several files',
    files: { 'kc-a': CONFIG('a'), 'kc-b': CONFIG('b', 'current-context: cb\n') },
    steps: [
      'kubectl config set-cluster b --server=http://b2',
      'kubectl config set-credentials new --token=x',
      'kubectl config use-context ca',
      'kubectl config set-context cb --namespace=x',
      'kubectl config delete-context cb',
      'kubectl config delete-user ub',
      'kubectl config rename-context ca cz',
      'kubectl config unset clusters.b',
      'kubectl config set users.ua.token zz',
      'kubectl config unset current-context',
    ]
      .flatMap((line) => [`KUBECONFIG=kc-a:kc-b ${line}`, 'cat kc-a kc-b'])
      .concat([
        'KUBECONFIG=none1:none2 kubectl config set-cluster q --server=http://q',
        'ls none1; cat none2',
        'KUBECONFIG=none1:kc-a kubectl config use-context cz',
        'cat kc-a',
      ]),
  },
  {
    name: 'applysets are alpha',
    files: { 'as.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: as\n' },
    steps: ['kubectl apply -f as.yaml --applyset=x --prune -n default'],
  },
  {
    name: 'completion for other shells',
    steps: ['kubectl completion', 'kubectl completion tcsh', 'kubectl completion bash zsh', "kubectl __completeNoDesc get nodes ''", 'kubectl __complete roll'],
  },
  {
    name: 'certificate of a real request',
    files: {
      'mk.sh':
        'cat <<EOF\napiVersion: certificates.k8s.io/v1\nkind: CertificateSigningRequest\nmetadata:\n  name: csr-real\nspec:\n  request: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIWU1IOENBUUF3SFRFTU1Bb0dBMVVFQ2d3RFpHVjJNUTB3Q3dZRFZRUUREQVJxWVc1bE1Ga3dFd1lIS29aSQp6ajBDQVFZSUtvWkl6ajBEQVFjRFFnQUVlNlV0VTNKb0VPVVBwUWcrYmVRaW1NN3J2MjVjV3AzTUpzcXFJVjMwClJ4RDR3YXNTRU5VRmRrUmlZWTMvdHM2OTZ3QXZ3b0FTRmRuZ1JCY3gvUzBiN3FBQU1Bb0dDQ3FHU000OUJBTUMKQTBrQU1FWUNJUUR3dzZOWHRPM2JIUzY4dnJFczFndmhRK09EbUlGK25Ja1A1ZnBBVkZLdFJRSWhBSTVha29hbApEOGs3ZFJVb0dKbmZ5cUpFeXhGVEo5L0g2RW5BWGtnRUFpZGMKLS0tLS1FTkQgQ0VSVElGSUNBVEUgUkVRVUVTVC0tLS0tCg==\n  signerName: kubernetes.io/kube-apiserver-client\n  usages: [client auth]\nEOF\n',
    },
    steps: [
      'sh mk.sh | kubectl apply -f -',
      'kubectl certificate approve csr-real',
      'kubectl get csr csr-real',
      { wait: 3 },
      "kubectl get csr csr-real -o jsonpath='{.status.conditions[*].type} {.spec.username}'",
      'kubectl certificate deny csr-real',
      'kubectl certificate approve nope',
      'kubectl certificate deny -l a=b',
      'kubectl delete csr csr-real',
    ],
  },
];
