<#
  Pairs one SBC with a Teams tenant: gateway, PSTN usage, voice route, routing policy and dial plan. Run it as a Teams
  administrator, after Connect-MicrosoftTeams. It may be run again: what is there already is left as it is, and said.

  The domain of the SBC's name must already be a verified domain of the tenant with at least one licensed user in it.
  For a customer's tenant behind a provider's trunk (hosted SBC), give -Derived: such a tenant has no gateway of its own.

  Read the plan first:   ./pair-sbc.ps1 -SbcFqdn sbc1.example.com -WhatIf
#>
[CmdletBinding(SupportsShouldProcess)]
param(
  [Parameter(Mandatory)] [string] $SbcFqdn,
  [int] $SipPort = 5061,
  [int] $MaxConcurrentSessions = 100,
  [string] $Usage = 'Sidekick',
  [string] $Route = 'Sidekick',
  [string] $Policy = 'Sidekick',
  [string] $DialPlan = 'Sidekick',
  # The numbers that agents may call through this SBC.
  [string] $NumberPattern = '^\+\d+$',
  # Country code without the plus, and the digit that is dialled before national numbers: 49 and 0 for Germany, 1 and 1 for the USA.
  [string] $CountryCode,
  [string] $NationalPrefix = '0',
  # The tenant hangs below a provider's carrier trunk: no gateway is made.
  [switch] $Derived
)

$ErrorActionPreference = 'Stop'

function Step([string] $What, [bool] $Exists, [scriptblock] $Make) {
  if ($Exists) { Write-Output "there:   $What" }
  elseif ($PSCmdlet.ShouldProcess($What, 'make')) { & $Make | Out-Null; Write-Output "made:    $What" }
}

if (-not $Derived) {
  Step "gateway $SbcFqdn" ([bool](Get-CsOnlinePSTNGateway | Where-Object Identity -EQ $SbcFqdn)) {
    # Enabled is false unless said otherwise. MediaBypass stays off: FreeSWITCH holds the media of the whole call.
    # A busy or slow SBC gets 20 s before Teams tries the next one.
    New-CsOnlinePSTNGateway -Fqdn $SbcFqdn -SipSignalingPort $SipPort -MaxConcurrentSessions $MaxConcurrentSessions `
      -Enabled $true -MediaBypass $false -SendSipOptions $true -ForwardPai $true -ForwardCallHistory $true `
      -FailoverTimeSeconds 20
  }
}

Step "PSTN usage $Usage" ((Get-CsOnlinePstnUsage -Identity Global).Usage -contains $Usage) {
  Set-CsOnlinePstnUsage -Identity Global -Usage @{ Add = $Usage }
}

Step "voice route $Route" ([bool](Get-CsOnlineVoiceRoute | Where-Object Identity -EQ $Route)) {
  New-CsOnlineVoiceRoute -Identity $Route -NumberPattern $NumberPattern -OnlinePstnGatewayList $SbcFqdn `
    -OnlinePstnUsages $Usage -Priority 1
}

Step "voice routing policy $Policy" ([bool](Get-CsOnlineVoiceRoutingPolicy | Where-Object Identity -EQ "Tag:$Policy")) {
  New-CsOnlineVoiceRoutingPolicy -Identity $Policy -OnlinePstnUsages $Usage
}

if ($CountryCode) {
  Step "dial plan $DialPlan" ([bool](Get-CsTenantDialPlan | Where-Object Identity -EQ "Tag:$DialPlan")) {
    New-CsTenantDialPlan -Identity $DialPlan -SimpleName $DialPlan
    # What agents type becomes +E.164: international with 00, then national.
    $rules = @(
      New-CsVoiceNormalizationRule -Parent $DialPlan -Name 'International' -Pattern '^00(\d+)$' -Translation '+$1' -InMemory
      New-CsVoiceNormalizationRule -Parent $DialPlan -Name 'National' -Pattern "^$NationalPrefix(\d{6,14})$" `
        -Translation "+$CountryCode`$1" -InMemory
    )
    Set-CsTenantDialPlan -Identity $DialPlan -NormalizationRules @{ Add = $rules }
  }
}

if (-not $Derived) {
  Get-CsOnlinePSTNGateway -Identity $SbcFqdn | Format-List Identity, Enabled, SipSignalingPort, SendSipOptions, MediaBypass
}
Write-Output "A change of the gateway can take some hours until every proxy has it. Next: agent-policy.ps1, then add-agents.ps1."
