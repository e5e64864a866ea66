/**
 * The administrator's client certificate and key, as they stand in the laptop's kubeconfig (`authority.ts` makes them;
 * a test compares). Written out as the authority's own certificate is, and for the same reason: the first kubectl of
 * every world reads them, and two operations on a cold curve take longer than all else it does.
 *
 * Here simplified: kubeadm draws this key anew for every cluster.
 */
export const CLUSTER_ADMIN = {
  certificate: `-----BEGIN CERTIFICATE-----
MIIBnDCCAUOgAwIBAgIIVhStFzQlKiMwCgYIKoZIzj0EAwIwFTETMBEGA1UEAxMK
a3ViZXJuZXRlczAeFw0yNjAxMDUwNzU1MDBaFw0yNzAxMDUwNzU1MDBaMDwxHzAd
BgNVBAoTFmt1YmVhZG06Y2x1c3Rlci1hZG1pbnMxGTAXBgNVBAMTEGt1YmVybmV0
ZXMtYWRtaW4wWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQ4NfSS0E2CVQq9eUWU
umVHSn/ts+wrtpYlnepzroJMwKBNjuLZlMCrwmRoVjscSsjXBz7dbXngjGY8nrBY
MSSko1YwVDAOBgNVHQ8BAf8EBAMCBaAwEwYDVR0lBAwwCgYIKwYBBQUHAwIwDAYD
VR0TAQH/BAIwADAfBgNVHSMEGDAWgBROBj2TGXWGt0dW010HI1BW9S5XbTAKBggq
hkjOPQQDAgNHADBEAiBXa+Rm8k/JT59ouVv8XJ1omspRolROLLklDTllacUgSwIg
cUDelHn+u/xplna5V9xn3gPlUw/QSuz6wDQoObCNz2w=
-----END CERTIFICATE-----
`,
  key: `-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIHuHHb4YjSxZ0nhpX4uk+nizwM8BHBgvMGh673ZfgGtjoAoGCCqGSM49
AwEHoUQDQgAEODX0ktBNglUKvXlFlLplR0p/7bPsK7aWJZ3qc66CTMCgTY7i2ZTA
q8JkaFY7HErI1wc+3W154IxmPJ6wWDEkpA==
-----END EC PRIVATE KEY-----
`,
} as const;
