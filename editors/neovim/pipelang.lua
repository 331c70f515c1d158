-- Neovim 0.7 and newer. Put this file into ~/.config/nvim/plugin/, or `:luafile` it.
-- It needs pipelang with its extra `lsp`, and `pipelang` on the path.

vim.api.nvim_create_autocmd({ "BufRead", "BufNewFile" }, {
  pattern = "*.pipe",
  command = "setfiletype pipelang",
})

local client -- Neovim before 0.8 starts clients one by one

local function root_of(file)
  local folder = vim.fn.fnamemodify(file, ":p:h")
  for _, mark in ipairs({ "pyproject.toml", ".git" }) do
    local found = vim.fn.finddir(mark, folder .. ";")
    found = found ~= "" and found or vim.fn.findfile(mark, folder .. ";")
    if found ~= "" then -- a folder's full name ends with a slash, which is no part to take off
      return vim.fn.fnamemodify((vim.fn.fnamemodify(found, ":p"):gsub("/$", "")), ":h")
    end
  end
  return folder
end

local function start(buffer)
  local name = vim.api.nvim_buf_get_name(buffer)
  if name:match("^%a[%w+.-]+://") then -- an earlier version in a diff stands beside no files
    return
  end
  local config = {
    name = "pipelang",
    cmd = { "pipelang", "lsp" },
    root_dir = root_of(name),
  }
  config.workspace_folders = { { uri = vim.uri_from_fname(config.root_dir), name = "root" } }
  if vim.lsp.start then
    vim.lsp.start(config, { bufnr = buffer })
  else
    client = client or vim.lsp.start_client(config)
    vim.lsp.buf_attach_client(buffer, client)
  end
end

vim.api.nvim_create_autocmd("FileType", {
  pattern = "pipelang",
  callback = function(event)
    local buffer = event.buf or vim.api.nvim_get_current_buf()
    vim.bo[buffer].commentstring = "# %s"
    vim.bo[buffer].omnifunc = "v:lua.vim.lsp.omnifunc"
    vim.bo[buffer].expandtab = true
    vim.bo[buffer].shiftwidth = 2
    start(buffer)
  end,
})

-- Numbers over pipelines. Hints at steps and gates need Neovim 0.10: vim.lsp.inlay_hint.enable().
local function is_ours(one)
  return one ~= nil and one.name == "pipelang" and one.server_capabilities.codeLensProvider
end

if vim.lsp.codelens.enable then -- Neovim 0.12 and newer keeps them fresh by itself
  vim.api.nvim_create_autocmd("LspAttach", {
    callback = function(event)
      if is_ours(vim.lsp.get_client_by_id(event.data.client_id)) then
        vim.lsp.codelens.enable(true, { bufnr = event.buf })
      end
    end,
  })
else
  -- Only of a server that has answered: before, Neovim would call a request an error.
  local function refresh_numbers()
    local buffer = vim.api.nvim_get_current_buf()
    local clients = vim.lsp.get_clients and vim.lsp.get_clients({ bufnr = buffer })
    for _, one in pairs(clients or vim.lsp.buf_get_clients(buffer)) do
      if is_ours(one) then
        pcall(vim.lsp.codelens.refresh)
        return
      end
    end
  end

  vim.api.nvim_create_autocmd({ "BufEnter", "CursorHold", "InsertLeave" }, {
    pattern = "*.pipe",
    callback = refresh_numbers,
  })
  if vim.lsp.handlers["workspace/codeLens/refresh"] == nil then
    vim.lsp.handlers["workspace/codeLens/refresh"] = function()
      refresh_numbers()
      return vim.NIL
    end
  end
end
