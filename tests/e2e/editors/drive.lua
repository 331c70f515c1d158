-- What a person does in Neovim, headless: prints one line of JSON, and quits.
local seen = {}
local function wait(what, done)
  seen[what] = vim.wait(20000, done, 50)
  if not seen[what] then
    error("waited for " .. what)
  end
end
local function ask(method, params)
  local answers = vim.lsp.buf_request_sync(0, method, params, 20000) or {}
  for _, one in pairs(answers) do
    if one.result ~= nil and one.result ~= vim.NIL then
      return one.result
    end
  end
end
local ok, problem = pcall(function()
  wait("attached", function() return next(vim.lsp.buf_get_clients(0)) ~= nil end)
  seen.root = ({ next(vim.lsp.buf_get_clients(0)) })[2].config.root_dir
  wait("numbers", function()
    local found = ask("textDocument/codeLens", { textDocument = vim.lsp.util.make_text_document_params() })
    seen.lens = found and found[1] and found[1].command.title
    return seen.lens ~= nil and seen.lens:find("answered right") ~= nil
  end)
  vim.fn.search("reply", "w")
  local there = vim.lsp.util.make_position_params()
  seen.hover = ask("textDocument/hover", there).contents.value
  seen.definition = ask("textDocument/definition", there)[1].range.start.line
  there.newName = "word"
  vim.lsp.util.apply_workspace_edit(ask("textDocument/rename", there), "utf-16")
  seen.renamed = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\n")
  vim.fn.search("return word", "w")
  vim.cmd("normal! cwretrn") -- a slip of the fingers
  wait("finding", function() return #vim.diagnostic.get(0) > 0 end)
  seen.message = (vim.diagnostic.get(0)[1] or {}).message
  vim.cmd("normal! u")
  wait("mended", function() return #vim.diagnostic.get(0) == 0 end)
  vim.fn.search("return ", "w")
  vim.cmd("normal! I      ")
  if vim.lsp.buf.format then
    vim.lsp.buf.format({ timeout_ms = 20000 })
  else
    vim.lsp.buf.formatting_sync(nil, 20000)
  end
  vim.fn.search("return ", "w")
  seen.formatted = vim.fn.getline(".")
  vim.fn.search("haiku", "w")
  local items = ask("textDocument/completion", vim.lsp.util.make_position_params()).items
  seen.completion = vim.tbl_map(function(item) return item.label end, items)
end)
seen.problem = not ok and tostring(problem) or nil
io.stdout:write("SEEN " .. vim.json.encode(seen) .. "\n")
vim.cmd("qa!")
