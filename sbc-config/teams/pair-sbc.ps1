<#
  Pairs one SBC with a Teams tenant: gateway, PSTN usage, voice route, routing policy, and the number of one agent.
  A start: it sets what a first call needs. Run it as a Teams administrator, after Connect-MicrosoftTeams.

  The domain of the SBC's name must already be a verified domain of the tenant with at least one licensed user in it.
#>
[CmdletBinding(SupportsShouldProcess)]
param(
  [Parameter(Mandatory)] [string] $SbcFqdn,
  [int] $SipPort = 5061,
  [int] $MaxConcurrentSessions = 100,
  [string] $Usage = 'Sidekick',
  [string] $Route = 'Sidekick',
  [string] $Policy = 'Sidekick',
  # The numbers that agents may call through this SBC.
  [string] $NumberPattern = '^\+\d+$',
  # One agent to start with: user principal name and E.164 number with the plus.
  [string] $AgentUpn,
  [string] $AgentNumber
)

$ErrorActionPreference = 'Stop'

$gateway = Get-CsOnlinePSTNGateway | Where-Object Identity -EQ $SbcFqdn
if (-not $gateway -and $PSCmdlet.ShouldProcess($SbcFqdn, 'New-CsOnlinePSTNGateway')) {
  # Enabled is false unless said otherwise. MediaBypass stays off: FreeSWITCH holds the media of the whole call.
  New-CsOnlinePSTNGateway -Fqdn $SbcFqdn -SipSignalingPort $SipPort -MaxConcurrentSessions $MaxConcurrentSessions `
    -Enabled $true -MediaBypass $false -SendSipOptions $true -ForwardPai $true -ForwardCallHistory $true
}

if ((Get-CsOnlinePstnUsage -Identity Global).Usage -notcontains $Usage -and $PSCmdlet.ShouldProcess($Usage, 'Set-CsOnlinePstnUsage')) {
  Set-CsOnlinePstnUsage -Identity Global -Usage @{ Add = $Usage }
}

if (-not (Get-CsOnlineVoiceRoute | Where-Object Identity -EQ $Route) -and $PSCmdlet.ShouldProcess($Route, 'New-CsOnlineVoiceRoute')) {
  New-CsOnlineVoiceRoute -Identity $Route -NumberPattern $NumberPattern -OnlinePstnGatewayList $SbcFqdn `
    -OnlinePstnUsages $Usage -Priority 1
}

if (-not (Get-CsOnlineVoiceRoutingPolicy | Where-Object Identity -EQ "Tag:$Policy") -and
  $PSCmdlet.ShouldProcess($Policy, 'New-CsOnlineVoiceRoutingPolicy')) {
  New-CsOnlineVoiceRoutingPolicy -Identity $Policy -OnlinePstnUsages $Usage
}

if ($AgentUpn -and $AgentNumber -and $PSCmdlet.ShouldProcess($AgentUpn, 'assign number and policy')) {
  Set-CsPhoneNumberAssignment -Identity $AgentUpn -PhoneNumber $AgentNumber -PhoneNumberType DirectRouting
  Grant-CsOnlineVoiceRoutingPolicy -Identity $AgentUpn -PolicyName $Policy
}

Get-CsOnlinePSTNGateway -Identity $SbcFqdn | Format-List Identity, Enabled, SipSignalingPort, SendSipOptions, MediaBypass
