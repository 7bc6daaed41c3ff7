#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "plugins/common/relational/sql_text.h"

// Any bytes as SQL under the rules of each product. Nothing may crash; tokens stand in the text, in order,
// and a name that is quoted is read as itself.

namespace {

using namespace sluice::relational;

constexpr sql_rules rules_of_products[] = {
    {},
    {.dollar_texts = true, .nested_comments = true},
    {.name_quote = '`',
     .double_quoted_texts = true,
     .backslash_escapes = true,
     .hash_comments = true,
     .dashes_need_blank = true,
     .version_comments = true,
     .counts_rows = true},
};

void must(bool holds) {
  if (!holds) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const sql_rules& rules : rules_of_products) {
    const char* at = text.data();
    for (const sql_token& token : tokens_of(text, rules)) {
      must(!token.text.empty() && token.text.data() >= at);
      at = token.text.data() + token.text.size();
      must(at <= text.data() + text.size());
    }
    (void)what_forbids_splitting(text, rules);
    const std::string quoted = quoted_name(text, rules);
    if (text.size() != 0) {
      must(bare_name(quoted, rules) == text);
      const auto parts = name_parts(quoted, rules);
      must(parts && parts->size() == 1 && (*parts)[0].name == text);
    }
    (void)name_parts(text, rules);
    const auto tables = tables_named_by(text, rules, 100);
    must(!tables || tables->size() <= 100);
    const std::vector<name_part> table = {{"t", false}};
    (void)empties_table(text, table, rules);
    (void)makes_table(text, table, rules);
  }
  return 0;
}
