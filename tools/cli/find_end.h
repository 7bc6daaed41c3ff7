#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/api/plugin.h"
#include "tools/cli/datasource_files.h"
#include "tools/cli/program.h"

namespace sluice {

/// An end as a person named it, found.
struct found_end {
  const plugin* of = nullptr;
  std::optional<end_place> where;     ///< Nothing: the text is the plugin's name.
  std::optional<datasource_env> env;  ///< The variant of `where->datasource` that was chosen.
};

/// Finds what a person means by `orders.csv`, `sqlite:shop.db:orders`, `db:orders` or `text`: a plugin's word
/// before the colon goes first, then the name of a data source, then a path, then a plugin's name. One a
/// command; reads the registry when an end may name a data source, once.
class end_finder {
 public:
  /// Both must outlive it.
  end_finder(const program& parts, const registry_arguments& registry)
      : parts_(parts), arguments_(registry), places_(registry_places(registry.file, parts.variable)) {}

  /// `bad_option` where `text` names no reader or writer that can be looked at, with what it may be, near
  /// names and the registry looked at.
  result<found_end> find(const std::string& text, bool reader);

  /// A line each: of the registry, where an end is in it, and of one that could not be read.
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  [[nodiscard]] std::optional<found_end> by_plugin(const std::string& text, bool reader) const;
  result<std::optional<found_end>> by_datasource(const std::string& text, bool reader, bool is_path);
  result<found_end> in_datasource(const datasource& source, datasource_env env, std::string_view rest,
                                  bool reader) const;
  result<found_end> by_name(const std::string& text, bool reader) const;
  /// Why `text` is no end.
  [[nodiscard]] tl::unexpected<error> refuse(const std::string& text, bool reader);
  [[nodiscard]] std::string about_registry(std::string_view name, std::string_view rest);
  [[nodiscard]] const result<loaded_registry>& registry();
  [[nodiscard]] bool has_registry() const;

  const program& parts_;
  const registry_arguments& arguments_;
  std::vector<registry_place> places_;
  std::optional<result<loaded_registry>> registry_;
  std::vector<std::string> warnings_;
};

}  // namespace sluice
