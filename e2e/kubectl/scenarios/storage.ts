/** StatefulSets, DaemonSets, claims, volumes and classes: what kubectl prints of them, and what it does to them. */
import { type Scenario, wait } from '../scenario.ts';

const WEB = (image: string) => `apiVersion: v1
kind: Service
metadata: {name: web, labels: {app: web}}
spec:
  ports: [{port: 80, name: web}]
  clusterIP: None
  selector: {app: web}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web, labels: {app: web}}
spec:
  serviceName: web
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: nginx
        image: ${image}
        ports: [{containerPort: 80, name: web}]
        volumeMounts: [{name: www, mountPath: /usr/share/nginx/html}]
  volumeClaimTemplates:
  - metadata: {name: www}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
`;
const AGENT = `apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, labels: {app: agent}}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: main, image: "nginx:1.28"}]
`;
const VOLUME = `apiVersion: v1
kind: PersistentVolume
metadata: {name: by-hand, labels: {kind: hand}}
spec:
  capacity: {storage: 2Gi}
  accessModes: [ReadWriteOnce]
  persistentVolumeReclaimPolicy: Retain
  storageClassName: manual
  hostPath: {path: /mnt/by-hand}
`;
const CLAIM = `apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: by-hand}
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: manual
  resources: {requests: {storage: 1Gi}}
`;
const CLASSES = `apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: growing}
provisioner: example.com/disk
allowVolumeExpansion: true
parameters: {type: ssd}
mountOptions: [debug]
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: grows}
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: growing
  volumeName: for-growing
  resources: {requests: {storage: 1Gi}}
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: for-growing}
spec:
  capacity: {storage: 1Gi}
  accessModes: [ReadWriteOnce]
  storageClassName: growing
  csi: {driver: example.com/disk, volumeHandle: one}
`;

export const storage: readonly Scenario[] = [
  {
    name: 'stateful sets',
    files: { 'web.yaml': WEB('nginx:1.28'), 'next.yaml': WEB('nginx:1.29') },
    steps: [
      'kubectl apply -f web.yaml',
      'kubectl rollout status sts/web | tail -1',
      'kubectl get sts',
      'kubectl get sts web -o wide',
      'kubectl get pods -l app=web',
      'kubectl get pvc -l app=web',
      'kubectl describe sts web',
      'kubectl scale sts web --replicas=3',
      'kubectl rollout status sts web | tail -1',
      'kubectl get pods -l app=web --show-labels | cut -c1-40',
      'kubectl apply -f next.yaml',
      'kubectl rollout status sts/web | tail -1',
      'kubectl rollout history sts/web',
      'kubectl rollout history sts web --revision=1',
      'kubectl rollout undo sts/web',
      'kubectl rollout status sts/web | tail -1',
      'kubectl rollout undo sts/web --to-revision=9',
      'kubectl rollout restart sts/web',
      'kubectl rollout status sts/web | tail -1',
      "kubectl get sts web -o jsonpath='{.status.replicas} {.status.readyReplicas} {.status.availableReplicas} {.status.updatedReplicas}'",
      'kubectl patch sts web -p \'{"spec":{"serviceName":"other"}}\'',
      "kubectl get controllerrevisions -l app=web --no-headers | awk '{print $2, $3}' | sort",
      'kubectl delete sts web --cascade=orphan',
      wait(3),
      'kubectl get pods -l app=web',
      'kubectl delete pod,pvc,svc -l app=web',
    ],
  },
  {
    name: 'daemon sets roll and go back',
    files: { 'agent.yaml': AGENT },
    steps: [
      'kubectl apply -f agent.yaml',
      'kubectl rollout status ds/agent | tail -1',
      'kubectl get ds agent',
      'kubectl describe ds agent',
      'kubectl set image ds/agent main=nginx:1.29',
      'kubectl rollout status ds/agent | tail -1',
      'kubectl rollout history ds/agent',
      'kubectl rollout history ds/agent --revision=2',
      'kubectl rollout undo ds/agent',
      'kubectl rollout status ds/agent | tail -1',
      'kubectl rollout history ds/agent',
      "kubectl get ds agent -o jsonpath='{.spec.template.spec.containers[0].image} {.metadata.annotations.deprecated\\.daemonset\\.template\\.generation}'",
      'kubectl delete ds agent',
    ],
  },
  {
    name: 'claims and volumes',
    files: { 'volume.yaml': VOLUME, 'claim.yaml': CLAIM, 'classes.yaml': CLASSES },
    steps: [
      'kubectl get storageclass',
      'kubectl describe sc standard',
      'kubectl apply -f volume.yaml',
      wait(2),
      'kubectl get pv by-hand',
      'kubectl apply -f claim.yaml',
      wait(2),
      'kubectl get pv,pvc',
      'kubectl get pvc by-hand -o wide',
      'kubectl describe pv by-hand',
      'kubectl describe pvc by-hand',
      'kubectl patch pvc by-hand -p \'{"spec":{"resources":{"requests":{"storage":"2Gi"}}}}\'',
      'kubectl patch pvc by-hand -p \'{"spec":{"storageClassName":"other"}}\'',
      'kubectl delete pvc by-hand',
      wait(2),
      'kubectl get pv by-hand',
      'kubectl delete pv by-hand',
      'kubectl apply -f classes.yaml',
      // A volume that comes after its claim is found when the claim is looked at again, 15 s later.
      wait(20),
      'kubectl describe sc growing',
      'kubectl get pvc grows',
      'kubectl patch pvc grows -p \'{"spec":{"resources":{"requests":{"storage":"5Gi"}}}}\'',
      wait(2),
      "kubectl get pvc grows -o jsonpath='{.spec.resources.requests.storage} {.status.capacity.storage}'",
      'kubectl describe pvc grows',
      'kubectl patch pvc grows -p \'{"spec":{"resources":{"requests":{"storage":"3Gi"}}}}\'',
      'kubectl patch sc growing -p \'{"provisioner":"other"}\'',
      'kubectl delete pvc grows',
      'kubectl delete pv for-growing',
      'kubectl delete sc growing',
    ],
  },
];
