#include "tools/cli/command_syntax.h"
#include "tools/cli/job_flags.h"

namespace sluice {
namespace {

/// `sluice datasource` with its four commands.
class datasource_flags final : public command_syntax {
 public:
  void describe(CLI::App& app) override;
  [[nodiscard]] result<command> given() const override;

 private:
  [[nodiscard]] result<command> given_remove() const;

  CLI::App* list_ = nullptr;
  CLI::App* test_ = nullptr;
  CLI::App* add_ = nullptr;
  CLI::App* remove_ = nullptr;
  registry_flags registry_[3];
  bool list_json_ = false, test_json_ = false, replace_ = false, drop_comments_ = false;
  std::string test_name_, add_name_, type_, description_, properties_file_;
  std::string remove_name_, remove_file_, remove_env_;
  bool yes_ = false;
  std::vector<std::string> set_;
};

void datasource_flags::describe(CLI::App& app) {
  list_ = app.add_subcommand("list", "List the data sources of the registry");
  test_ = app.add_subcommand("test", "Try to connect, step by step");
  add_ = app.add_subcommand("add", "Add a data source to the registry, asking for what is missing");
  remove_ = app.add_subcommand("remove", "Take a data source out of the registry");
  remove_->set_help_flag("-h,--help", "Print this help and exit");
  remove_->allow_extras();
  int number = 0;
  for (CLI::App* one : {list_, test_, add_}) {
    one->set_help_flag("-h,--help", "Print this help and exit");
    one->allow_extras();
    registry_[number++].describe(*one);
  }
  list_->add_flag("--json", list_json_, "Print JSON");
  test_->add_flag("--json", test_json_, "Print JSON");
  test_->add_option("NAME", test_name_, "Name of the data source");
  add_->add_option("NAME", add_name_, "Name that jobs give in \"datasource\"; asked for on a terminal");
  add_->add_option("--type", type_, "Its type, such as sqlite or mysql");
  add_->add_option("--set", set_,
                   "Key and value of its connection; may be repeated. A secret only as a reference: "
                   "password=${env:NAME}")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  add_->add_option("--properties", properties_file_,
                   "Object with the keys of its connection as JSON; - is standard input")
      ->type_name("FILE");
  add_->add_option("--description", description_, "For people");
  add_->add_flag("--replace", replace_, "Replace the variant that is there");
  add_->add_flag("--drop-comments", drop_comments_, "Write the file anew although that loses its comments");
  remove_->add_option("NAME", remove_name_, "Name of the data source");
  remove_
      ->add_option(
          "--datasources", remove_file_,
          "Registry of data sources; default: $SLUICE_DATASOURCES, the user's sluice/datasources.json")
      ->type_name("FILE");
  remove_
      ->add_option("--env", remove_env_,
                   "Which variant: prod, dev, or both for the entry without envType; default: the only one")
      ->type_name("ENV");
  remove_->add_flag("--yes", yes_, "Do not ask");
}

result<command> datasource_flags::given() const {
  if (list_->parsed()) {
    datasource_list_arguments list;
    SLUICE_TRY(list.registry, registry_[0].given());
    list.json = list_json_;
    return list;
  }
  if (test_->parsed()) {
    datasource_test_arguments test;
    if (test_name_.empty()) {
      return usage("the name is missing: sluice datasource test NAME");
    }
    SLUICE_TRY(test.registry, registry_[1].given());
    test.name = test_name_;
    test.json = test_json_;
    return test;
  }
  if (add_->parsed()) {
    datasource_add_arguments add;
    SLUICE_TRY(add.registry, registry_[2].given());
    SLUICE_TRY(add.set, paths_and_values(set_));
    add.name = add_name_;
    add.type = type_;
    add.description = description_;
    add.properties_file = given_text(properties_file_);
    add.replace = replace_;
    add.drop_comments = drop_comments_;
    return add;
  }
  return remove_->parsed()
             ? given_remove()
             : usage("what to do is missing: sluice datasource list, test NAME, add NAME or remove NAME");
}

result<command> datasource_flags::given_remove() const {
  datasource_remove_arguments remove;
  if (remove_name_.empty()) {
    return usage("the name is missing: sluice datasource remove NAME");
  }
  remove.registry.file = given_text(remove_file_);
  if (!remove_env_.empty()) {
    SLUICE_TRY(remove.registry.env,
               one_of<std::optional<datasource_env>>("--env", remove_env_,
                                                     {{"prod", datasource_env::production},
                                                      {"dev", datasource_env::development},
                                                      {"both", std::nullopt}}));
    remove.both = !remove.registry.env;
  }
  remove.name = remove_name_;
  remove.yes = yes_;
  return remove;
}

}  // namespace

std::unique_ptr<command_syntax> datasource_syntax() {
  return std::make_unique<datasource_flags>();
}

}  // namespace sluice
