import { isApiKey } from "@crowdai/shared";
import type { SecretLintRuleCreator } from "@secretlint/types";

/** Finds crowdAI API keys: `crowdai_`, 43 characters and a valid checksum. */
export const crowdaiKeyRule: SecretLintRuleCreator = rule("crowdai", /crowdai_[0-9A-Za-z]{49}/g, isApiKey);
/** Finds Hugging Face tokens, which the preset does not cover. */
export const huggingFaceRule: SecretLintRuleCreator = rule(
  "hugging-face",
  /(?<![0-9A-Za-z_])hf_[A-Za-z0-9]{30,}(?![0-9A-Za-z])/g,
  () => true,
);

function rule(name: string, pattern: RegExp, isMatch: (text: string) => boolean): SecretLintRuleCreator {
  const messages = { API_KEY: { en: () => `found a key of ${name}` } };
  return {
    messages,
    meta: {
      id: `crowdai/${name}`,
      recommended: true,
      type: "scanner",
      supportedContentTypes: ["text"],
      docs: { url: "https://github.com/crowdAI" },
    },
    create(context) {
      const translate = context.createTranslator(messages);
      return {
        file(source) {
          for (const match of source.content.matchAll(pattern))
            if (isMatch(match[0]))
              context.report({
                message: translate("API_KEY"),
                range: [match.index, match.index + match[0].length],
              });
        },
      };
    },
  };
}
