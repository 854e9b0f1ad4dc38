//! Setters and getters that several replies have.

/// Implements the setters and getters of the named fields.
macro_rules! accessors {
    ($reply:ident: $($field:ident)*) => {
        impl $reply {
            $(crate::replies::accessors::accessors!(@$field);)*
        }
    };
    (@config) => {
        /// Sets a config var of the customer's app. The manifest must list its name.
        #[must_use]
        pub fn with_config(mut self, name: impl Into<String>, value: impl Into<$crate::secret::Secret>) -> Self {
            self.config.set(name, value);
            self
        }

        /// Returns the config vars.
        #[must_use]
        pub fn config(&self) -> &$crate::config_vars::ConfigVars {
            &self.config
        }
    };
    (@message) => {
        /// Sets a message for the customer, a full sentence.
        #[must_use]
        pub fn with_message(mut self, message: impl Into<String>) -> Self {
            self.message = Some(message.into());
            self
        }

        /// Returns the message for the customer.
        #[must_use]
        pub fn message(&self) -> Option<&str> {
            self.message.as_deref()
        }
    };
    (@dashboard_url) => {
        /// Sets the URL of the resource's page for the customer.
        #[must_use]
        pub fn with_dashboard_url(mut self, url: impl Into<String>) -> Self {
            self.dashboard_url = Some(url.into());
            self
        }

        /// Returns the URL of the resource's page for the customer.
        #[must_use]
        pub fn dashboard_url(&self) -> Option<&str> {
            self.dashboard_url.as_deref()
        }
    };
    (@notice) => {
        /// Sets a notice that the marketplace shows beside the resource until it is replaced.
        #[must_use]
        pub fn with_notice(mut self, notice: $crate::replies::customer_notice::CustomerNotice) -> Self {
            self.notice = Some(notice);
            self
        }

        /// Returns the notice beside the resource.
        #[must_use]
        pub fn notice(&self) -> Option<&$crate::replies::customer_notice::CustomerNotice> {
            self.notice.as_ref()
        }
    };
}

pub(super) use accessors;
