<#
  Gives agents their number and the policies, and takes back forwarding that they have set up themselves. The agents stand in a
  CSV file with the columns Upn and Number:

    Upn,Number
    anna@example.com,+493055501001

  An agent needs a Teams Phone licence and Teams-only mode; this script assigns numbers and policies, not licences.
  Run it as a Teams administrator, after Connect-MicrosoftTeams, pair-sbc.ps1 and agent-policy.ps1.
#>
[CmdletBinding(SupportsShouldProcess)]
param(
  [Parameter(Mandatory)] [string] $Csv,
  [string] $RoutingPolicy = 'Sidekick',
  [string] $CallingPolicy = 'Sidekick Agents',
  # Empty: agents keep their dial plan.
  [string] $DialPlan
)

$ErrorActionPreference = 'Stop'

foreach ($agent in Import-Csv $Csv) {
  if ($agent.Number -notmatch '^\+[1-9]\d{5,14}$') {
    Write-Error "$($agent.Upn): $($agent.Number) is not E.164 with a plus" -ErrorAction Continue
    continue
  }
  if (-not $PSCmdlet.ShouldProcess("$($agent.Upn) $($agent.Number)", 'number, policies, no forwarding')) { continue }
  try {
    Set-CsPhoneNumberAssignment -Identity $agent.Upn -PhoneNumber $agent.Number -PhoneNumberType DirectRouting
    Grant-CsOnlineVoiceRoutingPolicy -Identity $agent.Upn -PolicyName $RoutingPolicy
    Grant-CsTeamsCallingPolicy -Identity $agent.Upn -PolicyName $CallingPolicy
    if ($DialPlan) { Grant-CsTenantDialPlan -Identity $agent.Upn -PolicyName $DialPlan }
    Set-CsUserCallingSettings -Identity $agent.Upn -IsForwardingEnabled $false
    Set-CsUserCallingSettings -Identity $agent.Upn -IsUnansweredEnabled $false
    $user = Get-CsOnlineUser -Identity $agent.Upn
    Write-Output "$($agent.Upn): $($user.LineUri), entraUserId $($user.Identity)"
  }
  catch {
    # One agent without a licence must not stop the others.
    Write-Error "$($agent.Upn): $($_.Exception.Message)" -ErrorAction Continue
  }
}
