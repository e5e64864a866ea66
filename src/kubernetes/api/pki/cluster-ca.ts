/**
 * The certificate of the cluster's authority (`authority.ts` makes it; a test compares). It is written out here
 * because every namespace of a new cluster gets it (`kube-root-ca.crt`): making it would cost each boot more
 * CPU than all of kubeadm.
 */
export const CLUSTER_CA = `-----BEGIN CERTIFICATE-----
MIIBejCCAR+gAwIBAgIIDoDlnl4zvOswCgYIKoZIzj0EAwIwFTETMBEGA1UEAxMK
a3ViZXJuZXRlczAeFw0yNjAxMDUwNzU1MDBaFw0zNjAxMDMwODAwMDBaMBUxEzAR
BgNVBAMTCmt1YmVybmV0ZXMwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQpPiz7
VUpGZ5qRbeM5oP9rYpppmliSjxOm4nXWTh/5nMFquf9u5pFfiOpIEGuLpaAiyJQb
cpX68v8mV3zA02mno1kwVzAOBgNVHQ8BAf8EBAMCAqQwDwYDVR0TAQH/BAUwAwEB
/zAdBgNVHQ4EFgQUTgY9kxl1hrdHVtNdByNQVvUuV20wFQYDVR0RBA4wDIIKa3Vi
ZXJuZXRlczAKBggqhkjOPQQDAgNJADBGAiEAuBG2OWiYRMke5wSYWCtXcf5pFzk1
TH0yiaeOcEXyYl0CIQDsy13L0E1MHK8JHZh+/9R+z8Tiwd3/EtDg2d96Sk/f4g==
-----END CERTIFICATE-----
`;
