/** Names of files that are always left out, and what such files contain. No flag overrides this. */
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
  [/(^|\/)client_secrets?([-_.][^/]*)?\.json$/i, "Google credentials"],
  [/(^|\/)([^/]*[-_.])?service[-_]?account([-_.]?keys?)?([-_.][^/]*)?\.json$/i, "a service account key"],
  [/(^|\/)(application_default_credentials|gcloud-service-key|gcp-?key)\.json$/i, "Google credentials"],
  [/(^|\/)kaggle\.json$/i, "a Kaggle key"],
  [/(^|\/)\.aws\//i, "AWS credentials"],
  [/(^|\/)\.(azure|gcloud|config\/gcloud)\//i, "cloud credentials"],
  [/(^|\/)\.kube\/config$|(^|\/)kubeconfig$/i, "Kubernetes credentials"],
  [/(^|\/)\.docker\/config\.json$/i, "Docker credentials"],
  [/(^|\/)\.?huggingface\/(token|stored_tokens)$/i, "a Hugging Face token"],
  [/(^|\/)crowdai\/keys\//i, "a crowdAI key"],
];

/** One pattern is faster than all of them, and most names match none. */
const ANY = new RegExp(NAMES.map(([{ source }]) => source).join("|"), "i");

/** Returns the kind of secret that files of this name contain, or null. */
export function secretByName(path: string): string | null {
  if (!ANY.test(path)) return null;
  return NAMES.find(([pattern]) => pattern.test(path))?.[1] ?? null;
}

/** Settings files that are harmless unless they contain a password. */
const SETTINGS = /(^|\/)(\.npmrc|\.yarnrc(\.yml)?|pip\.conf|pip\.ini|\.condarc)$/i;
const PASSWORD = /_auth(Token)?\s*[=:]|_password\s*[=:]|npmAuth(Token|Ident)|:\/\/[^/\s:@]+:[^/\s@]+@/;

/** Returns the kind of secret in a settings file, or null. */
export function secretSettings(path: string, text: string): string | null {
  return SETTINGS.test(path) && PASSWORD.test(text) ? "settings with a password" : null;
}
