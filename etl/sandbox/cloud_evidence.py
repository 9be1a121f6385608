"""Cloud evidence: items about clouds, their storage, code, applications and identities."""

from etl.sandbox import evidence, moments
from etl.sandbox.evidence import Item
from etl.sandbox.maker import Maker


def ai_agent(make: Maker) -> Item:
    """Show an agent that answers questions."""
    return make.item("aiAgentEvidence", agentId=make.guid(), agentName="order-helper",
                     hostingPlatformType="copilotStudio",
                     instructions="Answer questions about orders.\nName no customer.")  # fmt: skip


def amazon_resource(make: Maker) -> Item:
    """Show a resource in Amazon's cloud."""
    account = str(make.random.randrange(10**11, 10**12))
    bucket = f"arn:aws:s3:::orders-{make.hexadecimal(4)}"
    return make.item("amazonResourceEvidence", amazonAccountId=account, amazonResourceId=bucket,
                     resourceName=bucket.rpartition(":")[2],
                     resourceType="AWS::S3::Bucket")  # fmt: skip


def azure_resource(make: Maker) -> Item:
    """Show a resource in Azure."""
    name = f"stores{make.hexadecimal(5)}"
    return make.item("azureResourceEvidence", resourceName=name, resourceType="Storage account",
                     resourceId=make.resource("Storage/storageAccounts", name))  # fmt: skip


def google_resource(make: Maker) -> Item:
    """Show a resource in Google's cloud."""
    project, name = "contoso-orders", f"db-{make.hexadecimal(4)}"
    return make.item(
        "googleCloudResourceEvidence",
        fullResourceName=f"//sqladmin.googleapis.com/projects/{project}/instances/{name}",
        location="europe-west1", locationType="regional", projectId=project,
        projectNumber=make.random.randrange(10**11, 10**12), resourceName=name,
        resourceType="SQL Instance",
    )  # fmt: skip


def blob_container(make: Maker) -> Item:
    """Show a container of blobs and the account that holds it."""
    storage = azure_resource(make)
    url = f"https://{storage['resourceName']}.blob.core.windows.net/exports"
    return make.item("blobContainerEvidence", name="exports", storageResource=storage, url=url)


def blob(make: Maker) -> Item:
    """Show a blob with its hash, and where it is kept."""
    container = blob_container(make)
    hashes = [{"algorithm": "sha256", "value": make.hexadecimal(64)}]
    return make.item("blobEvidence", blobContainer=container, etag=f"0x8D{make.hexadecimal(13)}",
                     fileHashes=hashes, name="invoice.xlsm",
                     url=f"{container['url']}/invoice.xlsm")  # fmt: skip


def file_hash(make: Maker) -> Item:
    """Show a hash that no file is known for."""
    return make.item("fileHashEvidence", algorithm="sha256", value=make.hexadecimal(64))


def sas_token(make: Maker) -> Item:
    """Show a token that opens a storage account for a while."""
    return make.item(
        "sasTokenEvidence", allowedIpAddresses="203.0.113.0-203.0.113.255",
        allowedResourceTypes=["Service", "Container", "Object"], allowedServices=["Blob", "File"],
        expiryDateTime="2031-12-31T23:59:59Z", permissions=["Read", "List", "Write"],
        protocol="Https", signatureHash=make.hexadecimal(64), signedWith="Key1",
        startDateTime=make.time(moments.DAY), storageResource=azure_resource(make),
    )  # fmt: skip


def git_hub_organization(make: Maker) -> Item:
    """Show an organisation on GitHub."""
    return make.item("gitHubOrganizationEvidence", company="Contoso", displayName="Contoso Orders",
                     email="code@contoso.example", login="contoso-orders",
                     orgId=str(make.random.randrange(10**7)),
                     webUrl="https://github.example/contoso-orders")  # fmt: skip


def git_hub_repo(make: Maker) -> Item:
    """Show a repository on GitHub."""
    return make.item("gitHubRepoEvidence", baseUrl="https://github.example", login="contoso-orders",
                     owner="contoso-orders", ownerType="Organization",
                     repoId=str(make.random.randrange(10**8)))  # fmt: skip


def git_hub_user(make: Maker) -> Item:
    """Show an account on GitHub."""
    login = make.device.user.name.replace(".", "-")
    return make.item("gitHubUserEvidence", email=make.device.user.upn, login=login,
                     name=make.device.user.name, userId=str(make.random.randrange(10**7)),
                     webUrl=f"https://github.example/{login}")  # fmt: skip


def cloud_application(make: Maker) -> Item:
    """Show a cloud application."""
    return evidence.cloud_application(make.created)


def cloud_logon_request(make: Maker) -> Item:
    """Show a request to sign in."""
    return make.item("cloudLogonRequestEvidence", requestId=make.guid())


def cloud_logon_session(make: Maker) -> Item:
    """Show a session in the cloud, and whose it is."""
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    return make.item(
        "cloudLogonSessionEvidence", account=make.user(), browser="Firefox 140",
        deviceName=make.device.name, operatingSystem=make.device.system,
        previousLogonDateTime=make.time(moments.DAY), protocol="OAuth2", sessionId=make.guid(),
        startUtcDateTime=make.time(), userAgent=agent,
    )  # fmt: skip


def oauth_application(make: Maker) -> Item:
    """Show an application that people consented to."""
    return make.item("oauthApplicationEvidence", appId=make.guid(), displayName="Mail Merge Pro",
                     objectId=make.guid(), publisher="Unknown Publisher")  # fmt: skip


def service_principal(make: Maker) -> Item:
    """Show what an application acts as in the tenant."""
    return make.item("servicePrincipalEvidence", appId=make.guid(), appOwnerTenantId=make.guid(),
                     servicePrincipalName="orders-backup", servicePrincipalObjectId=make.guid(),
                     servicePrincipalType="application", tenantId=make.guid())  # fmt: skip


def security_group(make: Maker) -> Item:
    """Show a group of accounts."""
    return make.item(
        "securityGroupEvidence", activeDirectoryObjectGuid=make.guid(), displayName="Order admins",
        distinguishedName="CN=Order admins,OU=Groups,DC=contoso,DC=local",
        friendlyName="Order admins", securityGroupId=make.guid(),
        sid=f"S-1-5-21-{make.random.getrandbits(31)}-{make.random.getrandbits(31)}-1119",
    )  # fmt: skip


BUILDERS = (
    ai_agent, amazon_resource, azure_resource, google_resource, blob_container, blob, file_hash,
    sas_token, git_hub_organization, git_hub_repo, git_hub_user, cloud_application,
    cloud_logon_request, cloud_logon_session, oauth_application, service_principal, security_group,
)  # fmt: skip
"""One for each type told here."""
