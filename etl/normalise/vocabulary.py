"""The lake's words for the service's: Graph writes enumerations its own way, hunting another.

A value that is not listed keeps its own spelling: nothing is lost to an unknown word.
"""

from typing import Final

ENTITY_TYPES: Final = {
    "processEvidence": "Process",
    "fileEvidence": "File",
    "ipEvidence": "Ip",
    "urlEvidence": "Url",
    "registryKeyEvidence": "RegistryKey",
    "registryValueEvidence": "RegistryValue",
    "userEvidence": "User",
    "deviceEvidence": "Machine",
}

SERVICE_SOURCES: Final = {
    "unknown": "Unknown",
    "microsoftDefenderForEndpoint": "Microsoft Defender for Endpoint",
    "microsoftDefenderForIdentity": "Microsoft Defender for Identity",
    "microsoftDefenderForCloudApps": "Microsoft Defender for Cloud Apps",
    "microsoftDefenderForOffice365": "Microsoft Defender for Office 365",
    "microsoft365Defender": "Microsoft 365 Defender",
    "azureAdIdentityProtection": "AAD Identity Protection",
    "microsoftAppGovernance": "Microsoft App Governance",
    "dataLossPrevention": "Microsoft Data Loss Prevention",
    "unknownFutureValue": "UnknownFutureValue",
    "microsoftDefenderForCloud": "Microsoft Defender for Cloud",
    "microsoftSentinel": "Microsoft Sentinel",
    "microsoftInsiderRiskManagement": "Microsoft Insider Risk Management",
    "microsoftThreatIntelligence": "Microsoft Threat Intelligence",
    "microsoftSecurityForAI": "Microsoft Security for AI",
}

_DEFENDER_FOR: Final = (
    "IoT", "Servers", "Storage", "DNS", "Databases", "Containers", "Network", "AppService",
    "KeyVault", "ResourceManager", "ApiManagement", "AIServices",
)  # fmt: skip
_SPACED: Final = {
    "AppService": "App Service",
    "KeyVault": "Key Vault",
    "ResourceManager": "Resource Manager",
    "ApiManagement": "API Management",
    "AIServices": "AI Services",
}

DETECTION_SOURCES: Final = {
    "unknown": "Unknown",
    "microsoftDefenderForEndpoint": "EDR",
    "antivirus": "Antivirus",
    "smartScreen": "SmartScreen",
    "customTi": "Custom TI",
    "automatedInvestigation": "Automated investigation",
    "microsoftThreatExperts": "Microsoft Threat Experts",
    "customDetection": "Custom detection",
    "cloudAppSecurity": "Cloud App Security",
    "manual": "Manual",
    "microsoftDataLossPrevention": "Microsoft Data Loss Prevention",
    "appGovernancePolicy": "App Governance Policy",
    "appGovernanceDetection": "App Governance Detection",
    "unknownFutureValue": "UnknownFutureValue",
    "nrtAlerts": "NRT Alerts",
    "scheduledAlerts": "Scheduled Alerts",
    "microsoftDefenderThreatIntelligenceAnalytics":
        "Microsoft Defender Threat Intelligence Analytics",
    "builtInMl": "Built-in ML",
    "securityCopilot": "Security Copilot",
    **{name: SERVICE_SOURCES[name] for name in (
        "microsoftDefenderForIdentity", "microsoftDefenderForOffice365", "microsoft365Defender",
        "azureAdIdentityProtection", "microsoftDefenderForCloud", "microsoftSentinel",
        "microsoftInsiderRiskManagement", "microsoftThreatIntelligence",
    )},
    **{
        f"microsoftDefenderFor{name}": f"Microsoft Defender for {_SPACED.get(name, name)}"
        for name in _DEFENDER_FOR
    },
    "WindowsDefenderAtp": "EDR",
    "WindowsDefenderAv": "Antivirus",
}  # fmt: skip
"""The members of Graph's enumeration, and the words of Defender for Endpoint's own API."""

_SAME_WORDS: Final = {
    "UnSpecified": "Unknown",
    "Informational, expected activity": "InformationalExpectedActivity",
    "CompromisedUser": "CompromisedAccount",
    "Clean": "NotMalicious",
    "InsufficientData": "NotEnoughDataToValidate",
    "ConfirmedUserActivity": "ConfirmedActivity",
}
"""Severities, classifications and determinations that the documents and APIs name in two ways."""


def pascal(word: str | None) -> str | None:
    """Return an enumeration member as hunting and MDE spell it: `inProgress` as `InProgress`."""
    return word[:1].upper() + word[1:] if word else word


def judgement(word: str | None) -> str | None:
    """Return a severity, classification or determination in the one of its spellings we use."""
    found = pascal(word)
    return _SAME_WORDS.get(found or "", found)


def entity_type(evidence_type: str) -> str:
    """Return hunting's entity type, or the type's own name."""
    return ENTITY_TYPES.get(evidence_type, evidence_type)
