#include "tools/cli/command_syntax.h"

namespace sluice {
namespace {

class schema_flags final : public command_syntax {
 public:
  void describe(CLI::App& app) override {
    app.add_option("DIALECT", dialect_, "di (script mode 2.0) or datax; default: both in one schema");
  }
  [[nodiscard]] result<command> given() const override {
    schema_arguments schema;
    if (!dialect_.empty()) {
      SLUICE_TRY(schema.which, dialect_of("DIALECT", dialect_));
    }
    return schema;
  }

 private:
  std::string dialect_;
};

}  // namespace

std::unique_ptr<command_syntax> schema_syntax() {
  return std::make_unique<schema_flags>();
}

}  // namespace sluice
