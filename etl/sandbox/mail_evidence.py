"""Mail evidence: items about messages, mailboxes and chats."""

from etl.sandbox import evidence
from etl.sandbox.evidence import Item
from etl.sandbox.maker import Maker

_LURE = "Überfällige Rechnung \u202egpj.exe \u2013 act <b>now</b>"
_SENDER = "accounts@invoices.example.net"


def analyzed_message(make: Maker) -> Item:
    """Show a message and what was found in it."""
    sender = {"displayName": "Accounts", "domainName": "invoices.example.net",
              "emailAddress": _SENDER}  # fmt: skip
    network = make.guid()
    return make.item(
        "analyzedMessageEvidence", antiSpamDirection="inbound", attachmentsCount=1,
        deliveryAction="Delivered", deliveryLocation="Inbox", language="de",
        internetMessageId=f"<{make.hexadecimal(24)}@invoices.example.net>",
        networkMessageId=network, p1Sender=sender, p2Sender=dict(sender),
        receivedDateTime=make.time(), recipientEmailAddress=make.device.user.upn,
        senderIp=make.address(), subject=_LURE, threatDetectionMethods=["UrlReputation"],
        threats=["ZapPhish"], urlCount=2, urls=["https://invoices.example.net/pay?q=1&r=2"],
        urn=f"urn:MailEntity:{network}",
    )  # fmt: skip


def mail_cluster(make: Maker) -> Item:
    """Show messages that are alike."""
    return make.item(
        "mailClusterEvidence", clusterBy="Subject;P2SenderDomain",
        clusterByValue=f"{_LURE};invoices.example.net", emailCount=make.random.randrange(2, 900),
        networkMessageIds=[make.guid() for _ in range(3)],
        query=f'P2SenderDomain:"invoices.example.net" AND Subject:"{_LURE}"',
        urn=f"urn:MailClusterEntity:{make.hexadecimal(32)}",
    )  # fmt: skip


def mailbox(make: Maker) -> Item:
    """Show a mailbox."""
    return evidence.mailbox(make.device.user, make.created)


def mailbox_configuration(make: Maker) -> Item:
    """Show a rule of a mailbox."""
    address = make.device.user.upn
    return make.item(
        "mailboxConfigurationEvidence", configurationId=f"{make.random.getrandbits(63)}",
        configurationType="mailForwardingRule", displayName="..",
        externalDirectoryObjectId=make.guid(), mailboxPrimaryAddress=address, upn=address,
    )  # fmt: skip


def submission_mail(make: Maker) -> Item:
    """Show a message that someone reported."""
    return make.item(
        "submissionMailEvidence", networkMessageId=make.guid(), recipient=make.device.user.upn,
        reportType="Phish", sender=_SENDER, senderIp=make.address(), subject=_LURE,
        submissionDateTime=make.time(), submissionId=make.guid(), submitter=make.device.user.upn,
    )  # fmt: skip


def teams_message(make: Maker) -> Item:
    """Show a chat message with its files and links."""
    number = str(make.random.randrange(10**12, 10**13))
    return make.item(
        "teamsMessageEvidence", campaignId=None, channelId=None, deliveryAction="delivered",
        deliveryLocation="teams", files=[make.file()], groupId=make.guid(), isExternal=True,
        isOwned=False, lastModifiedDateTime=make.time(), messageDirection="inbound",
        messageId=number, owningTenantId=make.guid(), parentMessageId=number,
        receivedDateTime=make.time(), recipients=[make.device.user.upn],
        senderFromAddress="helpdesk@support.example.net", senderIP=make.address(),
        sourceAppName="Teams", sourceId=make.guid(), subject="Your device needs help",
        suspiciousRecipients=[], threadId=f"19:{make.hexadecimal(32)}@unq.gbl.spaces",
        threadType="chat", urls=[make.url(), make.url()],
    )  # fmt: skip


BUILDERS = (
    analyzed_message, mail_cluster, mailbox, mailbox_configuration, submission_mail, teams_message,
)  # fmt: skip
"""One for each type told here."""
