#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "jobspec/option_values.h"
#include "transport/record/change_rule.h"

namespace sluice::relational {

/// What becomes of a text with something in it that it cannot keep: its record is dirty, or that is left out,
/// or becomes U+FFFD, each such value counted.
enum class text_rule : std::uint8_t { dirty, remove, replace };

/// `invalidText` of a reader: bytes that are no UTF-8.
option invalid_text_option();
/// `nulCharacter` of a writer into a product whose texts hold no NUL.
option nul_character_option(std::string_view product);
result<text_rule> read_text_rule(const option_values& values, const std::string& name);

/// The text by the rule, in `out`, and what was done; nothing (and `out` is not touched) where there is
/// nothing to do, or where the rule is `dirty`. As many U+FFFD as Unicode recommends ("maximal subparts").
std::optional<change_rule> mend_utf8(std::string_view text, text_rule rule, std::string& out);
std::optional<change_rule> mend_nul(std::string_view text, text_rule rule, std::string& out);

}  // namespace sluice::relational
