/** Why a file is left out for its name alone. No flag lifts it. */
const NAMES: readonly (readonly [RegExp, string])[] = [
  [/(^|\/)\.env(\.(?!(example|sample|template|dist|defaults)$)[^/]*)?$/i, "environment variables"],
  [/\.env$/i, "environment variables"],
  [/(^|\/)\.envrc$/i, "environment variables"],
  [/(^|\/)id_(rsa|dsa|ecdsa|ed25519)(_sk)?(\.(old|bak|txt|key))?$/i, "an SSH key"],
  [/(^|\/)\.ssh\/(?!.*\.pub$)/i, "an SSH key"],
  [/(^|\/)\.gnupg\//i, "a GnuPG key"],
  [/\.(pem|p12|pfx|pkcs12|p8|key|jks|keystore|ppk|kdbx?|agekey)$/i, "a key or certificate"],
  [/(^|\/)[._]netrc$/i, "passwords"],
  [
    /(^|\/)(\.git-credentials|\.pgpass|\.my\.cnf|\.htpasswd|\.pypirc|\.dockercfg|\.s3cfg|\.boto)$/i,
    "passwords",
  ],
  [/(^|\/)(\.vault-token|\.databrickscfg|rclone\.conf|\.cdsapirc|\.wandbrc)$/i, "credentials"],
  [/(^|\/)\.?credentials(\.(json|ya?ml|toml|ini|csv|txt|db))?$/i, "credentials"],
  [/(^|\/)(secrets?|\.secrets?)\.(json|ya?ml|toml|ini|env)$/i, "credentials"],
  [/(^|\/)client_secrets?([-_.][^/]*)?\.json$/i, "credentials of Google"],
  [/(^|\/)([^/]*[-_.])?service[-_]?account([-_.]?keys?)?([-_.][^/]*)?\.json$/i, "a service account's key"],
  [/(^|\/)(application_default_credentials|gcloud-service-key|gcp-?key)\.json$/i, "credentials of Google"],
  [/(^|\/)kaggle\.json$/i, "a Kaggle key"],
  [/(^|\/)\.aws\//i, "credentials of AWS"],
  [/(^|\/)\.(azure|gcloud|config\/gcloud)\//i, "credentials of a cloud"],
  [/(^|\/)\.kube\/config$|(^|\/)kubeconfig$/i, "credentials of Kubernetes"],
  [/(^|\/)\.docker\/config\.json$/i, "credentials of Docker"],
  [/(^|\/)\.?huggingface\/(token|stored_tokens)$/i, "a token of Hugging Face"],
  [/(^|\/)crowdai\/keys\//i, "a crowdAI key"],
];

/** What kind of secret a path's name says it is; null when it is none. */
export function secretByName(path: string): string | null {
  return NAMES.find(([pattern]) => pattern.test(path))?.[1] ?? null;
}

/** Settings files that are harmless until somebody writes a password into them. */
const SETTINGS = /(^|\/)(\.npmrc|\.yarnrc(\.yml)?|pip\.conf|pip\.ini|\.condarc)$/i;
const PASSWORD = /_auth(Token)?\s*[=:]|_password\s*[=:]|npmAuth(Token|Ident)|:\/\/[^/\s:@]+:[^/\s@]+@/;

/** The same for a settings file and what it holds. */
export function secretSettings(path: string, text: string): string | null {
  return SETTINGS.test(path) && PASSWORD.test(text) ? "settings with a password" : null;
}
