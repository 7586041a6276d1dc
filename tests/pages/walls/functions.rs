//! The length of each function.
use syn::{Block, Signature, visit::Visit};

/// Returns the functions of a file that have more than `most` lines, each with its length.
pub fn longer_than(most: usize, text: &str) -> Vec<(String, usize)> {
    let tree = syn::parse_file(text).unwrap_or_else(|e| panic!("{e}"));
    let mut reader = Reader { most, found: Vec::new() };
    reader.visit_file(&tree);
    reader.found
}

struct Reader {
    most: usize,
    found: Vec<(String, usize)>,
}

impl Reader {
    fn measure(&mut self, signature: &Signature, block: &Block) {
        let lines = block.brace_token.span.close().end().line + 1 - signature.fn_token.span.start().line;
        if lines > self.most {
            self.found.push((signature.ident.to_string(), lines));
        }
    }
}

impl<'a> Visit<'a> for Reader {
    fn visit_item_fn(&mut self, function: &'a syn::ItemFn) {
        self.measure(&function.sig, &function.block);
        syn::visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'a syn::ImplItemFn) {
        self.measure(&function.sig, &function.block);
        syn::visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'a syn::TraitItemFn) {
        if let Some(block) = &function.default {
            self.measure(&function.sig, block);
        }
        syn::visit::visit_trait_item_fn(self, function);
    }
}
