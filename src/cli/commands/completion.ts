import type { Context } from '../context';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `# Completion of sidekick for bash. To have it in every shell: sidekick completion bash > /etc/bash_completion.d/sidekick
_sidekick() {
  local line file cur="\${COMP_WORDS[COMP_CWORD]}"
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      while IFS= read -r file; do COMPREPLY+=("$file"); done < <(compgen -f -- "$cur")
    elif [[ $line == "$cur"* ]]; then
      COMPREPLY+=("$(printf '%q' "$line")")
    fi
  done < <("\${COMP_WORDS[0]}" __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  if [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == *= ]]; then
    compopt -o nospace 2>/dev/null
  fi
}
complete -F _sidekick sidekick
`,
  zsh: `#compdef sidekick
# Completion of sidekick for zsh. To have it in every shell: sidekick completion zsh > "\${fpath[1]}/_sidekick"
_sidekick() {
  local -a found
  found=("\${(@f)$("\${words[1]}" __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ \${found[1]} == :files ]]; then
    _files
    return
  fi
  compadd -- \${found:#}
}
compdef _sidekick sidekick
`,
  fish: `# Completion of sidekick for fish. To have it in every shell: sidekick completion fish > ~/.config/fish/completions/sidekick.fish
function __sidekick_complete
  set -l typed (commandline -opc) (commandline -ct)
  set -l found ($typed[1] __complete $typed[2..-1] 2>/dev/null)
  if test "$found[1]" = ':files'
    __fish_complete_path (commandline -ct)
    return
  end
  printf '%s\\n' $found
end
complete -c sidekick -f -a '(__sidekick_complete)'
`,
};

export function printCompletion({ io }: Context, shell: Shell): Promise<number> {
  io.stdout.write(SCRIPTS[shell]);
  return Promise.resolve(0);
}
