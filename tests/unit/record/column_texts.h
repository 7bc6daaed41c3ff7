#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "transport/record/batch.h"
#include "transport/record/convert.h"

/// Columns as lists of texts, for tests that are tables.
namespace sluice::test {

using texts = std::vector<std::optional<std::string>>;

/// A column of the type from the texts that `value_text` would give (binary: the bytes themselves); fails the
/// test where one is no value of the type.
column column_of(const data_type& type, const texts& values, const std::shared_ptr<buffer_pool>& pool);

/// The values again.
texts texts_of(const column& c, const data_type& type, std::uint32_t rows);

/// Each text as converted: the value's text, `NULL`, or `! code`.
std::vector<std::string> converted(const data_type& from, const texts& values, const data_type& to,
                                   const conversion_context& context = {});

}  // namespace sluice::test
