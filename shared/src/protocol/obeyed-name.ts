/**
 * Returns why a program, such as an editor, a shell, a package manager or a test runner, would obey a file of
 * this name just because it is there. Null for a file that is only data.
 */
export function obeyedName(name: string): string | null {
  for (const part of name.split("/")) {
    const folded = fold(part);
    if (folded.startsWith(".")) return "its name starts with a dot";
    if (FOLDERS.has(folded)) return `programs run what is in a folder named ${folded}`;
    if (SHORT_NAME.test(folded)) return "its name may stand for another file on Windows";
  }
  const file = fold(name.slice(name.lastIndexOf("/") + 1));
  return FILES.has(file) || CONFIG_MODULE.test(file) ? `programs obey a file named ${file}` : null;
}

const FOLDERS = new Set(["node_modules", "__pycache__", "site-packages"]);
const FILES = new Set([
  ...[
    "crowdai.json",
    "package.json",
    "bunfig.toml",
    "deno.json",
    "deno.jsonc",
    "tsconfig.json",
    "jsconfig.json",
    "pnpm-workspace.yaml",
  ],
  ...[
    "conftest.py",
    "sitecustomize.py",
    "usercustomize.py",
    "setup.py",
    "setup.cfg",
    "noxfile.py",
    "pyproject.toml",
    "pytest.ini",
    "tox.ini",
  ],
  ...[
    "pyvenv.cfg",
    "makefile",
    "gnumakefile",
    "justfile",
    "rakefile",
    "gemfile",
    "vagrantfile",
    "cmakelists.txt",
    "cargo.toml",
    "composer.json",
    "pom.xml",
    "build.gradle",
    "settings.gradle",
    "mise.toml",
    "flake.nix",
    "shell.nix",
    "default.nix",
    "startup.m",
    "desktop.ini",
    "autorun.inf",
    "claude.md",
    "claude.local.md",
    "agents.md",
    "gemini.md",
  ],
]);
/** Such as `vite.config.js`, `gulpfile.mjs` and `jupyter_server_config.py`. */
const CONFIG_MODULE =
  /^(?:(?:.+\.config|gulpfile|gruntfile)\.(?:[cm]?[jt]s|json)|(?:jupyter|ipython)\w*_config\.(?:py|json))$/;
/** A name that Windows makes for an older program, such as `GIT~1` for `.git`. */
const SHORT_NAME = /^[^.]{1,6}~\d+(\.[^.]{0,3})?$/;

/** Returns the name without case and without the characters that some file systems ignore. */
function fold(name: string): string {
  return name
    .normalize("NFKC")
    .replace(/\p{Default_Ignorable_Code_Point}/gu, "")
    .toLowerCase();
}
